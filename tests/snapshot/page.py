"""Reads a page of pool_write_snapshot as a browser does: which elements it has, what they hold."""

import json
import sys
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """Keeps the elements, and the text of those that hold no others."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.tags = {}
        self.texts = {}
        self.unclosed = 0

    def handle_starttag(self, tag, attributes):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        names = dict(attributes)
        outside = [names[name] for name in ("src", "href") if name in names]
        assert not outside, "the page asks for %s" % outside
        assert not any(name.startswith("on") for name in names), "a handler in %s" % tag
        if tag not in VOID:
            self.open.append((tag, names.get("id")))

    def handle_endtag(self, tag):
        self.unclosed += self.open.pop()[0] != tag

    def handle_data(self, text):
        if self.open:
            self.texts[self.open[-1]] = self.texts.get(self.open[-1], "") + text


page = Page()
with open(sys.argv[1], encoding="utf-8") as file:
    page.feed(file.read())
page.close()
data = json.loads(page.texts["script", "snapshot"])
print(json.dumps({
    "tags": page.tags,
    "unclosed": page.unclosed + len(page.open),
    "title": page.texts["title", None],
    "data": data,
}))
