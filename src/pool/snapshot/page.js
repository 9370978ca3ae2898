// Draws the picture that stands in this page as JSON. What comes from it is shown as text alone.
"use strict";

const picture = JSON.parse(document.getElementById("snapshot").textContent);
const STATES = ["live", "free", "cached", "quarantined", "untouched"];
const MEANS = {
  live: "handed out",
  free: "came back",
  cached: "free, kept for one thread",
  quarantined: "came back, waits to be free",
  untouched: "never handed out",
};
const SITES = STATES.length + 1; // where the bits of the sites stand in a cell

const perCell = picture.blocks_a_cell;
const cells = picture.cells.flatMap((run) => Array(run[0]).fill(run));
const sites = picture.sites ? picture.sites.list : [];
const pages = picture.pages;

const at = (id) => document.getElementById(id);
const count = (number) => number.toLocaleString("en");
const plural = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

function percent(part, whole) {
  const share = whole ? Math.round((1000 * part) / whole) / 10 : 0;
  return part > 0 && share === 0 ? "< 0.1 %" : `${share.toFixed(1)} %`;
}

function bytes(number) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; number >= 1024 && unit < units.length - 1; number /= 1024) ++unit;
  return `${unit ? Number(number.toPrecision(3)) : count(number)} ${units[unit]}`;
}

// A new element with texts and elements in it.
function make(tag, className, ...inside) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...inside);
  return element;
}

// What is lit up on the map: what was clicked, or what the pointer is on meanwhile.
let pinned = null;
let pointed = null;

// A button that lights up the cells that it is about.
function highlighter(holds, onPin, ...inside) {
  const button = make("button", "", ...inside);
  const own = { holds, button };
  button.setAttribute("aria-pressed", "false");
  const point = (to) => () => {
    pointed = to;
    draw();
  };
  button.addEventListener("mouseenter", point(own));
  button.addEventListener("mouseleave", point(null));
  button.addEventListener("focus", point(own));
  button.addEventListener("blur", point(null));
  button.addEventListener("click", () => {
    const before = pinned;
    pinned = before === own ? null : own;
    for (const one of [before, own]) {
      if (!one) continue;
      one.button.setAttribute("aria-pressed", String(pinned === one));
      if (one.onPin) one.onPin(pinned === one);
    }
    draw();
  });
  own.onPin = onPin;
  return button;
}

// ---- what is told in words

function showFigures() {
  document.title = `Memory pool ${picture.name}`;
  at("name").textContent = picture.name;
  const checks = { standard: "standard checks", none: "no checks", full: "full checks" };
  const modes = { safe: "for any thread", single: "for one owner", "lock-free": "lock-free" };
  at("kind").textContent =
    `Memory pool: ${modes[picture.mode]}, ${checks[picture.checks]}, blocks from ${picture.base}`;
  const grows = picture.max_capacity > picture.capacity;
  const heap = picture.heap_blocks;
  const figures = [
    ["In use", `${count(picture.in_use)} of ${count(picture.capacity)}`,
      `${percent(picture.in_use - heap, picture.capacity)}, at most ${count(picture.peak_in_use)} so far` +
        (heap ? `, ${count(heap)} on the heap` : "")],
    ["Available", count(picture.available),
      grows ? `may grow to ${count(picture.max_capacity)} blocks` : "the pool does not grow"],
    ["Block size", plural(picture.block_size, "byte"),
      `one each ${plural(picture.stride, "byte")}, aligned to ${count(picture.alignment)}`],
    ["Allocations", count(picture.allocations),
      `${count(picture.deallocations)} came back, ${count(picture.failures)} failed`],
    ["In memory", bytes(picture.resident_bytes),
      `of ${bytes(picture.reserved_bytes)} reserved, ${bytes(picture.metadata_bytes)} beside the blocks`],
  ];
  for (const [what, figure, more] of figures) {
    at("figures").append(make("div", "", make("dt", "", what), make("dd", "", figure), make("dd", "", more)));
  }
}

function showStates() {
  STATES.forEach((state, place) => {
    const blocks = picture.states[state];
    const color = `var(--${state})`;
    if (blocks > 0) {
      const part = make("span");
      part.style.flex = `${blocks} 0 0`;
      part.style.background = color;
      at("bar").append(part);
    }
    const swatch = make("span", "swatch");
    swatch.style.background = color;
    const text = make("span", "", `${state} `, make("b", "", count(blocks)),
      make("span", "quiet", ` ${percent(blocks, picture.capacity)}`));
    const button = highlighter((cell) => cell[1 + place] > 0, null, swatch, text);
    button.title = MEANS[state];
    at("legend").append(make("li", "", button));
  });
}

const titleOf = (frame) => frame.function || `${frame.module}+0x${frame.offset.toString(16)}`;
const placeOf = (frame) => frame.line || (frame.function ? frame.module : "");

function showSites() {
  if (!picture.sites) {
    at("sites-note").textContent = "Not known: this pool keeps no stacks. POOL_CHECKS_FULL does.";
    return;
  }
  const { more, more_blocks: rest } = picture.sites;
  at("sites-note").textContent = sites.length === 0 ? "No block is live."
    : "Point at a site to see its blocks, click to keep them and to see the stack." +
      (more ? ` ${plural(rest, "block")} of ${plural(more, "more site")} are not listed.` : "");
  const most = Math.max(...sites.map((site) => site.blocks));
  sites.forEach((site, number) => {
    const frame = site.frames[0];
    const stack = make("ol", "", ...site.frames.map((one) =>
      make("li", "", make("span", "code", titleOf(one)), ` ${placeOf(one)}`)));
    stack.hidden = true;
    const share = make("div", "share");
    share.style.width = `${(100 * site.blocks) / most}%`;
    const button = highlighter((cell) => (cell[SITES] >> number) & 1, (on) => { stack.hidden = !on; },
      make("div", "code", frame ? titleOf(frame) : "not known"),
      make("div", "quiet code", frame ? placeOf(frame) : ""), share,
      make("div", "note", `${plural(site.blocks, "block")}, ${bytes(site.bytes)}, ` +
        `the oldest by operation ${count(site.oldest_operation)}`));
    at("sites").append(make("li", "", button, stack));
  });
}

// The blocks with a byte on a page: the first, and the one after the last.
function blocksOn(page) {
  const start = page * pages.bytes - pages.before_base;
  const end = Math.ceil((start + pages.bytes) / picture.stride);
  return [Math.max(0, Math.floor(start / picture.stride)), Math.min(end, picture.capacity)];
}

function showPages() {
  if (!pages) {
    at("pages-note").textContent = "The memory of this pool can't be given back by OS page.";
    return;
  }
  at("pages-note").textContent =
    `${count(pages.kept)} of ${plural(pages.count, "OS page")} of ${bytes(pages.bytes)} hold a live ` +
    "block, so a trim can't give them back." + (pages.fewest.length ? " Those with the fewest:" : "");
  for (const [page, live] of pages.fewest) {
    const [first, end] = blocksOn(page);
    const holds = (cell, place) => place * perCell < end && (place + 1) * perCell > first;
    const button = highlighter(holds, null, make("span", "", `page ${count(page)}`),
      make("span", "quiet", `${plural(live, "live block")} of ${count(end - first)}`));
    at("pages").append(make("li", "", button));
  }
}

// ---- the map

const canvas = at("map");
const LABELS = 16 + 7 * count(picture.capacity).length; // pixels for the numbers of blocks
const layout = { pitch: 0, gap: 0, columns: 1, rows: 1 };
let current = -1;

function arrange() {
  const width = at("frame").clientWidth - LABELS;
  layout.pitch = cells.length <= 800 ? 20 : cells.length <= 6000 ? 13 : 9;
  layout.gap = layout.pitch > 9 ? 2 : 1;
  const fits = Math.max(1, Math.floor(width / layout.pitch));
  // Rows are whole OS pages, where that goes up.
  const onPage = pages && perCell === 1 && pages.before_base === 0 ? pages.bytes / picture.stride : 0;
  const unit = Number.isInteger(onPage) && onPage >= 8 && onPage <= fits ? onPage : Math.min(8, fits);
  layout.columns = Math.floor(fits / unit) * unit;
  layout.rows = Math.ceil(cells.length / layout.columns);
  layout.pitch = Math.min(Math.floor(width / layout.columns), layout.pitch + 6);
  const scale = window.devicePixelRatio || 1;
  canvas.style.width = `${LABELS + layout.columns * layout.pitch}px`;
  canvas.style.height = `${layout.rows * layout.pitch}px`;
  canvas.width = (LABELS + layout.columns * layout.pitch) * scale;
  canvas.height = layout.rows * layout.pitch * scale;
  const rowBlocks = layout.columns * perCell;
  at("scale").textContent =
    (perCell === 1 ? "A cell is a block" : `A cell is ${count(perCell)} blocks, filled by their states`) +
    `; a row is ${plural(rowBlocks, "block")}, ${bytes(rowBlocks * picture.stride)}` +
    (unit === onPage ? ` (${plural(layout.columns / onPage, "OS page")})` : "") +
    ". Point at a cell, or use the arrow keys.";
  canvas.setAttribute("aria-label", `Map of ${plural(picture.capacity, "block")}: ` +
    STATES.map((state) => `${count(picture.states[state])} ${state}`).join(", "));
  draw();
}

function drawCell(pen, cell, x, y, colors) {
  const side = layout.pitch - layout.gap;
  const whole = STATES.reduce((sum, _, place) => sum + cell[1 + place], 0);
  let bottom = y + side;
  STATES.forEach((_, place) => {
    const blocks = cell[1 + place];
    if (blocks === 0) return;
    // One live block among thousands is still to be seen.
    const height = Math.min(bottom - y, Math.max(blocks === whole ? side : 1.5, (side * blocks) / whole));
    pen.fillStyle = colors[place];
    pen.fillRect(x, bottom - height, side, height);
    bottom -= height;
  });
}

function draw() {
  const pen = canvas.getContext("2d");
  const scale = window.devicePixelRatio || 1;
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  const colors = STATES.map(color);
  const lit = pointed || pinned;
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  cells.forEach((cell, place) => {
    const x = LABELS + (place % layout.columns) * layout.pitch;
    const y = Math.floor(place / layout.columns) * layout.pitch;
    pen.globalAlpha = !lit || lit.holds(cell, place) ? 1 : 0.18;
    drawCell(pen, cell, x, y, colors);
    if (place === current) {
      pen.globalAlpha = 1;
      pen.strokeStyle = color("ink");
      pen.lineWidth = 2;
      pen.strokeRect(x, y, layout.pitch - layout.gap, layout.pitch - layout.gap);
    }
  });
  pen.globalAlpha = 1;
  pen.fillStyle = color("quiet");
  pen.font = "11px ui-monospace, 'DejaVu Sans Mono', monospace";
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  const each = Math.ceil(16 / layout.pitch);
  for (let row = 0; row < layout.rows; row += each) {
    const middle = Math.max(6, row * layout.pitch + (layout.pitch - layout.gap) / 2);
    pen.fillText(count(row * layout.columns * perCell), LABELS - 10, middle, LABELS - 12);
  }
}

function pageText(first, end) {
  const on = (block) => Math.floor((pages.before_base + block * picture.stride) / pages.bytes);
  const last = Math.floor((pages.before_base + end * picture.stride - 1) / pages.bytes);
  return on(first) === last ? `OS page ${count(last)}` : `OS pages ${count(on(first))} to ${count(last)}`;
}

function describe(place) {
  const cell = cells[place];
  const first = place * perCell;
  const end = Math.min(first + perCell, picture.capacity);
  const address = `0x${(BigInt(picture.base) + BigInt(first) * BigInt(picture.stride)).toString(16)}`;
  const states = STATES.filter((_, nth) => cell[1 + nth] > 0).map((state) =>
    perCell === 1 ? `${state}: ${MEANS[state]}` : `${count(cell[1 + STATES.indexOf(state)])} ${state}`);
  const lines = [
    make("strong", "", end - first === 1 ? `Block ${count(first)}` : `Blocks ${count(first)} to ${count(end - 1)}`),
    make("div", "", states.join(", ")),
    make("div", "quiet code", address),
  ];
  if (pages) lines.push(make("div", "quiet", pageText(first, end)));
  sites.filter((_, nth) => (cell[SITES] >> nth) & 1).slice(0, 4).forEach((site) => {
    const frame = site.frames[0];
    const text = frame ? `${titleOf(frame)} ${placeOf(frame)}` : "not known";
    lines.push(make("div", "code", `by ${text}`));
  });
  return lines;
}

function show(place) {
  const detail = at("detail");
  current = place >= 0 && place < cells.length ? place : -1;
  detail.hidden = current < 0;
  draw();
  if (current < 0) return;
  detail.replaceChildren(...describe(current));
  const x = LABELS + (current % layout.columns) * layout.pitch;
  const y = Math.floor(current / layout.columns) * layout.pitch;
  const room = at("frame").clientWidth - detail.offsetWidth;
  detail.style.left = `${Math.max(0, Math.min(x + layout.pitch + 6, room))}px`;
  detail.style.top = `${y + layout.pitch + 8}px`;
}

canvas.addEventListener("mousemove", (event) => {
  const column = Math.floor((event.offsetX - LABELS) / layout.pitch);
  const row = Math.floor(event.offsetY / layout.pitch);
  const inside = column >= 0 && column < layout.columns;
  const place = inside ? row * layout.columns + column : -1;
  if (place !== current) show(place);
});
canvas.addEventListener("mouseleave", () => show(-1));
canvas.addEventListener("blur", () => show(-1));
canvas.addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -layout.columns, ArrowDown: layout.columns };
  const step = steps[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const next = current < 0 ? 0 : current + step;
  if (next >= 0 && next < cells.length) show(next);
});

showFigures();
showStates();
showSites();
showPages();
arrange();
window.addEventListener("resize", arrange);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
