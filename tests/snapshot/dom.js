// Runs the script of a page of pool_write_snapshot without a browser: as much of a document as it
// uses, and no more. Prints what stands on the page then, and while the pointer is on block 0.
"use strict";

const fs = require("fs");
const page = fs.readFileSync(process.argv[2], "utf8");
const scripts = page.split("<script").slice(1).map((piece) => piece.split(">").slice(1).join(">"));
const [data, code] = scripts.map((piece) => piece.split("</script")[0]);

let rectangles = 0;
const pen = new Proxy({}, {
  get: (_, name) => (name === "fillRect" ? () => { ++rectangles; } : () => {}),
  set: () => true,
});

class Element {
  constructor(text = "") {
    Object.assign(this, { text, inside: [], style: {}, attributes: {}, listeners: {} });
    Object.assign(this, { clientWidth: 1000, offsetWidth: 200 });
  }
  append(...more) {
    this.inside.push(...more.map((one) => (one instanceof Element ? one : new Element(String(one)))));
  }
  replaceChildren(...more) {
    this.inside = [];
    this.append(...more);
  }
  get textContent() {
    return this.text + this.inside.map((one) => one.textContent).join("");
  }
  set textContent(text) {
    Object.assign(this, { text, inside: [] });
  }
  setAttribute(name, value) { this.attributes[name] = value; }
  addEventListener(name, call) { this.listeners[name] = call; }
  getContext() { return pen; }
}

const elements = { snapshot: new Element(data) };
for (const [, id] of page.matchAll(/ id="([a-z-]+)"/g)) elements[id] ??= new Element();
const document = {
  title: "",
  documentElement: new Element(),
  getElementById: (id) => elements[id],
  createElement: () => new Element(),
};
const window = { devicePixelRatio: 1, addEventListener() {}, matchMedia: () => new Element() };
const getComputedStyle = () => ({ getPropertyValue: () => " #000" });

new Function("document", "window", "getComputedStyle", code)(document, window, getComputedStyle);
const drawn = rectangles;
const events = elements.map.listeners;
events.mousemove({ offsetX: 45, offsetY: 5 });
const pointed = elements.detail.textContent;
events.keydown({ key: "ArrowRight", preventDefault() {} });
const [name, legend, sites, pages] = ["name", "legend", "sites", "pages"].map(
  (id) => elements[id].textContent);
const next = elements.detail.textContent;
console.log(JSON.stringify({ title: document.title, name, legend, sites, pages, drawn, pointed, next }));
