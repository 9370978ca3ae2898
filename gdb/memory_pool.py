"""gdb looks into memory_pool: in a live process or a core dump, of a release build too.

    info pools                                                every live pool
    pool blocks HANDLE [live|free|untouched] [FROM [COUNT]]   the states of its blocks, in ranges
    pool block ADDRESS                                        which block that is, and its bytes
    print HANDLE                                              a pool_t * and what it leads to

Nothing is called in the program, which may have ended in the middle of the library. What is where
stands in an object of the library, pool_debug_layout (src/pool/debug.rs), whose address stands in
the section memory_pool_debug of the file; so a file without symbols will do, and a process may
have several copies of the library. All names begin with MemoryPool, for they are the user's, too.
"""

import itertools
import re
import struct
import textwrap

import gdb
import gdb.printing


class MemoryPoolTarget:
    """The process or core dump that gdb looks at."""

    LAYOUT_SECTION = re.compile(r"^\s*0x([0-9a-f]+) - 0x[0-9a-f]+ is memory_pool_debug\b", re.M)

    def __init__(self):
        if not gdb.selected_inferior().threads():
            raise gdb.GdbError("The program does not run, and there is no core dump.")
        self.order = "<" if "little" in gdb.execute("show endian", to_string=True) else ">"

    @staticmethod
    def read(address, count):
        return gdb.selected_inferior().read_memory(address, count).tobytes()

    def numbers(self, address, form):
        """Those that lie there, in the notation of struct."""
        form = self.order + form
        return struct.unpack(form, self.read(address, struct.calcsize(form)))

    def layouts(self):
        """One for each copy of the library."""
        sections = self.LAYOUT_SECTION.findall(gdb.execute("info files", to_string=True))
        found = {self.numbers(int(start, 16), "Q")[0] for start in sections}
        try:
            found.add(int(gdb.parse_and_eval("&pool_debug_layout")))
        except gdb.error:
            if not found:
                raise gdb.GdbError("There is no memory_pool here: neither a section"
                                   " memory_pool_debug nor a symbol pool_debug_layout.") from None
        return [MemoryPoolLayout(self, address) for address in sorted(found)]

    def pools(self):
        return [pool for layout in self.layouts() for pool in layout.pools()]

    def find(self, handle):
        """The live pool of that handle, or None."""
        return next(filter(None, (layout.find(handle) for layout in self.layouts())), None)


class MemoryPoolLayout:
    """A copy of the library; the numbers of its layout are attributes."""

    MAGIC = 0x00706F6F6C676462
    VERSION = 4
    # In the order of DebugLayout and EngineLayout.
    FIELDS = """
        magic version word_bytes arenas arena_count arena_bytes arena_base_at arena_mask_at
        slot_bytes slot_key_at slot_pool_at entries entry_count entry_bytes entry_key_at
        entry_pool_at entry_shift tag_at block_size_at stride_at base_at name_at name_length_at
        ledger_untouched ledger_free ledger_live ledger_held link_untouched link_live link_held
        link_bytes depths engine_count engine_bytes""".split()
    ENGINE_FIELDS = """
        tag threading checks capacity_at frontier_at table table_end_at has_counters allocations_at
        deallocations_at let_go_at hand_at lent_at kept_at low_at top_at""".split()
    ENGINE_FORM = "Q16s16s13Q"

    def __init__(self, target, address):
        self.target = target
        magic, version = target.numbers(address, "2Q")
        if magic != self.MAGIC:
            raise gdb.GdbError("At %#x is no layout of memory_pool: this program or library is not"
                               " the one that ran, or its memory is damaged." % address)
        if version != self.VERSION:
            raise gdb.GdbError("This memory_pool has a layout of version %d, and this script knows"
                               " %d: source the library's own." % (version, self.VERSION))
        self.__dict__.update(zip(self.FIELDS, target.numbers(address, "%dQ" % len(self.FIELDS))))
        self.word_form, self.link_form = "QI" if self.word_bytes == 8 else "IH"
        # Fields of eight bytes in which an address stands first.
        self.arenas = self.word(address + 8 * self.FIELDS.index("arenas"))
        self.entries = self.word(address + 8 * self.FIELDS.index("entries"))
        first = address + 8 * len(self.FIELDS)
        self.engines = {}
        for number in range(self.engine_count):
            fields = target.numbers(first + number * self.engine_bytes, self.ENGINE_FORM)
            engine = dict(zip(self.ENGINE_FIELDS, fields))
            texts = {at: engine[at].rstrip(b"\0").decode() for at in ("threading", "checks")}
            self.engines[engine["tag"]] = {**engine, **texts}

    def word(self, address):
        return self.target.numbers(address, self.word_form)[0]

    def slots(self):
        """Where each arena begins, and the bits of a handle that say how far its slot is."""
        end = self.arenas + self.arena_count * self.arena_bytes
        for at in range(self.arenas, end, self.arena_bytes):
            yield self.word(at + self.arena_base_at), self.word(at + self.arena_mask_at)

    def pool_in_slot(self, slot):
        """The key of a pool is an address in its slot; that of a cache, or of nobody, is not."""
        key = self.word(slot + self.slot_key_at)
        in_slot = 0 <= key - slot < self.slot_bytes
        return MemoryPool(self, key, slot + self.slot_pool_at) if in_slot else None

    def pool_in_entry(self, number):
        """The key of a pool in a caller's buffer selects its entry; that of nobody does not."""
        entry = self.entries + number * self.entry_bytes
        key, pool = (self.word(entry + at) for at in (self.entry_key_at, self.entry_pool_at))
        selected = (key >> self.entry_shift) % self.entry_count
        return MemoryPool(self, key, pool) if key != 0 and selected == number else None

    def pools(self):
        for base, mask in self.slots():
            slots = range(base, base + mask + self.slot_bytes, self.slot_bytes)
            yield from filter(None, map(self.pool_in_slot, slots))
        yield from filter(None, map(self.pool_in_entry, range(self.entry_count)))

    def find(self, handle):
        slots = [base + (handle & mask) for base, mask in self.slots()]
        entry = (handle >> self.entry_shift) % self.entry_count
        found = [*map(self.pool_in_slot, slots), self.pool_in_entry(entry)]
        return next((pool for pool in found if pool and pool.handle == handle), None)


class MemoryPool:
    """A live pool. What is not known of it is None."""

    UNKNOWN = {"threading": "unknown to this script", "checks": "?", "table": None}
    LEDGER, LINKS = 1, 2
    BLOCKS_AT_ONCE = 1 << 16

    def __init__(self, layout, handle, address):
        self.layout, self.handle, self.address = layout, handle, address
        self.engine = {}  # until it is known

    def load(self):
        """What can be read only if the pool is where it should be."""
        target = self.layout.target
        tag, length = (target.read(self.at(at), 1)[0] for at in ("tag_at", "name_length_at"))
        self.engine = self.layout.engines.get(tag, self.UNKNOWN)
        self.name = target.read(self.at("name_at"), length).decode("utf-8", "replace")
        self.block_size, self.stride = self.word("block_size_at"), self.word("stride_at")
        self.base = self.word("base_at")
        self.knows_states = self.engine["table"] in (self.LEDGER, self.LINKS)
        self.capacity = self.frontier = None
        if self.engine["table"] is not None:
            self.capacity = self.word("capacity_at")
            self.frontier = min(self.word("frontier_at"), self.capacity)
        return self

    def at(self, field):
        """Where a field lies that the layout, or that of the engine, has the distance of."""
        distances = self.engine if field in self.engine else vars(self.layout)
        in_hand = field in ("kept_at", "low_at", "top_at")
        start = (self.word("lent_at") or self.at("hand_at")) if in_hand else self.address
        return start + distances[field]

    def word(self, field):
        return self.layout.word(self.at(field))

    def title(self):
        return 'pool "%s" %#x' % (self.name, self.handle)

    def in_use(self):
        if self.knows_states:
            live = self.layout.ledger_live
            return sum(piece.count(live) for piece in self.states(0, self.frontier))
        if not self.engine.get("has_counters"):
            return None
        # Blocks at hand count as handed out, and are free.
        kept, low, top = map(self.word, ("kept_at", "low_at", "top_at"))
        at_hand = (top - low) // self.layout.word_bytes + (kept != 0)
        allocations, deallocations, let_go = (
            self.layout.target.numbers(self.at(counter), "Q")[0]
            for counter in ("allocations_at", "deallocations_at", "let_go_at"))
        return (allocations - deallocations - let_go - at_hand) % (1 << 64)

    def states(self, first, end):
        """Bytes of the ledger of blocks below the frontier, or what would stand there, in parts.
        The ledger calls a kept block live, which is free."""
        layout, table = self.layout, self.word("table_end_at")
        known = {layout.link_untouched: layout.ledger_untouched,
                 layout.link_live: layout.ledger_live, layout.link_held: layout.ledger_free}
        kept = (self.word("kept_at") - self.base) // self.stride if self.engine["hand_at"] else -1
        for first in range(first, end, self.BLOCKS_AT_ONCE):
            last = min(first + self.BLOCKS_AT_ONCE, end)
            if self.engine["table"] == self.LEDGER:
                states = bytearray(layout.target.read(table - last, last - first)[::-1])
                if first <= kept < last:
                    states[kept - first] = layout.ledger_free
                yield bytes(states)
                continue
            # From the end, counted in links: between those of two blocks lie their depths.
            at = [index + (index + 1) // 2 * layout.depths for index in range(first, last)]
            links = layout.target.numbers(table - (at[-1] + 1) * layout.link_bytes,
                                          "%d%s" % (at[-1] - at[0] + 1, layout.link_form))[::-1]
            yield bytes(known.get(links[place - at[0]], layout.ledger_free) for place in at)

    def runs(self, first, end):
        """Of blocks in a row that are in one state: (first, end, state)."""
        used = min(max(first, self.frontier), end)
        layout, rows = self.layout, [("unknown", used - first)]
        if self.knows_states:
            names = {layout.ledger_untouched: "untouched", layout.ledger_live: "live",
                     layout.ledger_free: "free", layout.ledger_held: "free"}
            said = (names.get(at, "damaged") for piece in self.states(first, used) for at in piece)
            rows = [(name, sum(1 for _ in row)) for name, row in itertools.groupby(said)]
        if rows and rows[-1][0] == "untouched":
            used -= rows.pop()[1]
        for name, count in rows + [("untouched", end - used)]:
            if count:
                yield first, first + count, name
            first += count


class MemoryPoolCommand(gdb.Command):
    """Says what it can't do in one line."""

    def __init__(self):
        super().__init__(self.NAME, gdb.COMMAND_DATA)

    def invoke(self, text, from_tty):
        try:
            self.run(MemoryPoolTarget(), gdb.string_to_argv(text))
        except gdb.error as error:
            raise gdb.GdbError(str(error)) from None

    def usage(self):
        return gdb.GdbError(self.__doc__[self.__doc__.index("Usage:"):].split("\n")[0])

    @staticmethod
    def number(expression):
        return int(gdb.parse_and_eval(expression)) % (1 << 64)


class MemoryPoolInfo(MemoryPoolCommand):
    """List the live pools of memory_pool: how each is used, and how full it is.

Usage: info pools
A question mark is what is not known. `bytes` are those of all blocks. Blocks from the heap
(POOL_EXHAUSTED_HEAP) are not counted."""

    NAME = "info pools"
    HEAD = "handle,name,mode,checks,block size,stride,capacity,in use,free,bytes".split(",")
    TEXTS = 4

    def run(self, target, words):
        if words:
            raise self.usage()
        rows = [self.row(pool) for pool in target.pools()]
        if not rows:
            return print("No pool is live.")
        widths = [max(map(len, column)) for column in zip(self.HEAD, *rows)]
        form = "  ".join("%%%s%ds" % ("-" if number < self.TEXTS else "", width)
                         for number, width in enumerate(widths))
        for row in [self.HEAD] + rows:
            print((form % tuple(row)).rstrip())

    @staticmethod
    def row(pool):
        try:
            capacity, in_use = pool.load().capacity, pool.in_use()
        except gdb.MemoryError:
            return ["%#x" % pool.handle, "(its memory can't be read)"] + 8 * [""]
        free = None if in_use is None else max(0, capacity - in_use)
        numbers = [pool.block_size, pool.stride, capacity, in_use, free,
                   capacity and capacity * pool.stride]
        texts = ["%#x" % pool.handle, pool.name, pool.engine["threading"], pool.engine["checks"]]
        return texts + ["?" if number is None else str(number) for number in numbers]


class MemoryPoolPrefix(gdb.Command):
    """Look into a pool of memory_pool; `info pools` lists them."""


class MemoryPoolBlocks(MemoryPoolCommand):
    """Show which blocks of a pool are live, free, or were never handed out, in ranges.

Usage: pool blocks HANDLE [live|free|untouched] [FROM [COUNT]]
HANDLE, FROM and COUNT are expressions without blanks; blocks are numbered from 0."""

    NAME = "pool blocks"
    RUNS_MAX = 1000
    ORDER = ["unknown", "live", "free", "untouched", "damaged"]
    UNKNOWN = "live or free, which a pool of POOL_CHECKS_NONE does not know"

    def run(self, target, words):
        if not words:
            raise self.usage()
        handle, words = self.number(words[0]), words[1:]
        wanted = words.pop(0) if words and words[0] in self.ORDER[1:4] else None
        if len(words) > 2:
            raise self.usage()
        pool = target.find(handle)
        if pool is None:
            raise gdb.GdbError("%#x is no live pool; `info pools` lists them." % handle)
        if pool.load().capacity is None:
            raise gdb.GdbError("%s: its engine is unknown to this script." % pool.title())
        if wanted in ("live", "free") and not pool.knows_states:
            raise gdb.GdbError("%s: POOL_CHECKS_NONE, so this is not known." % pool.title())
        first, count = [self.number(word) for word in words] + [0, pool.capacity][len(words):]
        end = min(first + count, pool.capacity)
        if first >= end:
            raise gdb.GdbError("%s: it has %d blocks." % (pool.title(), pool.capacity))
        self.show(pool, wanted, first, end)

    def show(self, pool, wanted, first, end):
        runs = (run for run in pool.runs(first, end) if wanted in (None, run[2]))
        shown = {}
        for start, stop, state in itertools.islice(runs, self.RUNS_MAX):
            run = str(start) if start + 1 == stop else "%d-%d" % (start, stop - 1)
            shown.setdefault(state, []).append(run)
        print("%s, blocks %d-%d of %d" % (pool.title(), first, end - 1, pool.capacity))
        for state in sorted(shown or [wanted], key=self.ORDER.index):
            print(textwrap.fill(", ".join(shown.get(state, ["none"])), 98, break_on_hyphens=False,
                                initial_indent="  %-11s" % state, subsequent_indent=" " * 13))
        if "unknown" in shown:
            print("unknown: " + self.UNKNOWN)
        for start, _, _ in itertools.islice(runs, 1):
            print("There are more, from block %d on." % start)


class MemoryPoolBlock(MemoryPoolCommand):
    """Show which block of which pool an address leads into, its state and its first bytes.

Usage: pool block ADDRESS
Blocks from the heap (POOL_EXHAUSTED_HEAP) are not found."""

    NAME = "pool block"
    BYTES_MAX = 64

    def run(self, target, words):
        if len(words) != 1:
            raise self.usage()
        address = self.number(words[0])
        for pool in target.pools():
            try:
                index, into = divmod(address - pool.load().base, max(1, pool.stride))
            except gdb.MemoryError:
                continue
            if pool.capacity is not None and 0 <= index < pool.capacity:
                return self.show(target, pool, index, into)
        print("%#x lies in no block of a live pool." % address)

    def show(self, target, pool, index, into):
        start = pool.base + index * pool.stride
        where = "%d bytes into block %d" % (into, index) if into else "block %d" % index
        state = next(pool.runs(index, index + 1))[2].replace("unknown", MemoryPoolBlocks.UNKNOWN)
        print("%#x is %s of %s: %s" % (start + into, where, pool.title(), state))
        count = min(pool.block_size, self.BYTES_MAX)
        for at in range(0, count, 16):
            row = target.read(start + at, min(16, count - at))
            text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
            print("  %#x  %-47s  %s" % (start + at, row.hex(" "), text))


class MemoryPoolPrinter(gdb.printing.PrettyPrinter):
    """Shows a pool_t * as its address and what it leads to."""

    def __init__(self, value=None):
        super().__init__("memory_pool")
        self.value = value

    def __call__(self, value):
        type = value.type.strip_typedefs()
        is_pool = type.code == gdb.TYPE_CODE_PTR and type.target().unqualified().name == "pool_t"
        return MemoryPoolPrinter(value) if is_pool else None

    def to_string(self):
        if not (handle := int(self.value)):
            return "0x0"
        try:
            pool = MemoryPoolTarget().find(handle)
            said = "no live pool"
            if pool:
                in_use = pool.load().in_use()
                said = 'pool "%s", %s, %s of %s blocks of %d bytes in use' % (
                    pool.name, pool.engine["threading"], "?" if in_use is None else in_use,
                    "?" if pool.capacity is None else pool.capacity, pool.block_size)
        except (gdb.error, gdb.GdbError) as error:
            said = str(error)
        return "%#x (%s)" % (handle, said)


MemoryPoolInfo()
MemoryPoolPrefix("pool", gdb.COMMAND_DATA, prefix=True)
MemoryPoolBlocks()
MemoryPoolBlock()
gdb.printing.register_pretty_printer(None, MemoryPoolPrinter(), replace=True)
