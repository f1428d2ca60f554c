"use strict";
{
  const part = (id) => document.getElementById(id);
  const [tools, wanted, found] = ["tools", "wanted", "found"].map(part);
  const items = [...document.querySelectorAll("main li")];
  const rows = items.map((item) => item.querySelector(".row"));
  const folds = items.map((item) => item.firstElementChild).map((first) => first.tagName === "DETAILS" ? first : null);
  const numbers = new Map(items.map((item, number) => [item, number]));
  const above = items.map((item) => numbers.get(item.parentElement.closest("li")) ?? -1);

  // Letters that are no other letter with a mark, and that people type without.
  const plain = { "ł": "l", "ø": "o", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i" };
  const folded = (text) =>
    text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "").replace(/[łøđßæœı]/g, (letter) => plain[letter]);
  const written = (row) =>
    ["name", "external"].map((one) => row.querySelector("." + one)?.textContent ?? "").concat(row.title).join("\n");

  let texts = null;
  let before = null;
  const remember = () => before ??= folds.map((fold) => fold?.open);
  const restore = () => {
    before?.forEach((open, number) => { if (folds[number]) folds[number].open = open; });
    before = null;
  };

  const MATCHES = 1, HAS_MATCHES_BELOW = 2, STANDS_BELOW_MATCH = 4;
  const find = () => {
    const query = folded(wanted.value.trim());
    if (query === "") {
      items.forEach((item, number) => { item.hidden = false; rows[number].classList.remove("hit"); });
      restore();
      found.value = "";
      return;
    }
    remember();
    texts ??= rows.map((row) => row.classList.contains("heading") ? "" : folded(written(row)));
    const states = new Uint8Array(items.length);
    let hits = 0;
    // From the last to the first, so that whatever is below a row is known when the row comes.
    for (let number = items.length - 1; number >= 0; number--) {
      const hit = texts[number].includes(query);
      if (hit) { states[number] |= MATCHES; hits++; }
      if (states[number] && above[number] >= 0) states[above[number]] |= HAS_MATCHES_BELOW;
      rows[number].classList.toggle("hit", hit);
      if (folds[number]) folds[number].open = (states[number] & HAS_MATCHES_BELOW) !== 0;
    }
    for (let number = 0; number < items.length; number++) {
      // A match that leads to no other is folded: whoever unfolds it wants to see what is below.
      const state = above[number] >= 0 ? states[above[number]] : 0;
      if (state === MATCHES || state === STANDS_BELOW_MATCH) states[number] |= STANDS_BELOW_MATCH;
      items[number].hidden = states[number] === 0;
    }
    found.value = hits === 1 ? "1 match" : hits + " matches";
  };

  const all = (open) => folds.forEach((fold) => { if (fold) fold.open = open; });
  let pause = 0;
  wanted.addEventListener("input", () => { clearTimeout(pause); pause = setTimeout(find, 120); });
  wanted.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { wanted.value = ""; find(); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && event.target !== wanted) { event.preventDefault(); wanted.focus(); }
  });
  part("unfold").addEventListener("click", () => all(true));
  part("fold").addEventListener("click", () => all(false));

  // What is folded is not printed otherwise.
  let printed = null;
  addEventListener("beforeprint", () => { printed = folds.map((fold) => fold?.open); all(true); });
  addEventListener("afterprint", () => {
    printed?.forEach((open, number) => { if (folds[number]) folds[number].open = open; });
    printed = null;
  });
  tools.hidden = false;
}
