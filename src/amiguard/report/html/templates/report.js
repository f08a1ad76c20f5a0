// The page is whole without this: it adds search, sorting, folding, copying and a switch for the colours.
// It reads the document only, and writes texts as text.
"use strict";
(() => {
  const root = document.documentElement;

  // Colours: the reader's choice goes before the system's.
  const theme = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const remember = (value) => {
    try {
      localStorage.setItem("amiguard-theme", value);
    } catch {
      // Files may not be allowed to store anything; the choice then lasts as long as the page.
    }
  };
  const remembered = () => {
    try {
      return localStorage.getItem("amiguard-theme");
    } catch {
      return null;
    }
  };
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const nameTheme = () => {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-label", isDark() ? "Light colours" : "Dark colours");
  };
  const chosen = remembered();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember(root.dataset.theme);
    nameTheme();
  });
  dark.addEventListener("change", nameTheme);
  nameTheme();

  // Picture: pointing at an entry shows its lines.
  const who = document.querySelector(".who");
  if (who) {
    const pick = (node) => {
      who.classList.toggle("picked", Boolean(node));
      if (!node) return;
      const side = node.dataset.l === undefined ? "r" : "l";
      for (const link of who.querySelectorAll(".link")) {
        link.classList.toggle("on", link.dataset[side] === node.dataset[side]);
      }
    };
    who.addEventListener("pointerover", (event) => pick(event.target.closest(".node")));
    who.addEventListener("pointerleave", () => pick(null));
  }

  // Commands.
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  };
  for (const button of document.querySelectorAll(".copy")) button.hidden = false;
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy");
    if (!button) return;
    const done = await copy(button.previousElementSibling.textContent);
    button.focus();
    button.textContent = done ? "Copied" : "Select it";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });

  // Images.
  const table = document.getElementById("table");
  if (!table) return;
  const images = [...table.tBodies];
  const shown = document.getElementById("shown");
  const search = document.getElementById("search");
  const expand = document.getElementById("expand");
  const chips = [...document.querySelectorAll(".chip")];
  const opener = (image) => image.rows[0].cells[0].firstElementChild;
  const setOpen = (image, open) => {
    opener(image).setAttribute("aria-expanded", String(open));
    image.rows[1].classList.toggle("on", open);
  };
  for (const image of images) {
    opener(image).disabled = false;
    opener(image).setAttribute("aria-expanded", "false");
  }
  document.getElementById("tools").hidden = false;
  table.addEventListener("click", (event) => {
    const row = event.target.closest(".image > tr");
    if (!row || row.classList.contains("more") || String(getSelection())) return;
    const image = row.parentElement;
    setOpen(image, opener(image).getAttribute("aria-expanded") !== "true");
  });

  const texts = new Map();
  const textOf = (image) => {
    let text = texts.get(image);
    if (text === undefined) {
      text = image.textContent.toLowerCase();
      texts.set(image, text);
    }
    return text;
  };
  // Thousands of rows take long to lay out: at first, so many of them are shown.
  const most = 300;
  let limit = most;
  const rest = document.getElementById("rest");
  const more = rest.firstElementChild;
  const number = (count) => count.toLocaleString("en");
  const visible = () => images.filter((image) => !image.hidden && !image.classList.contains("beyond"));
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const levels = new Set(chips.filter((chip) => chip.ariaPressed === "true").map((chip) => chip.dataset.level));
    let count = 0;
    for (const image of images) {
      const match = levels.has(image.dataset.level) && words.every((word) => textOf(image).includes(word));
      image.hidden = !match;
      count += match;
      image.classList.toggle("beyond", match && count > limit);
    }
    const all = `${number(images.length)} image${images.length === 1 ? "" : "s"}`;
    const first = count > limit ? `, the first ${number(limit)} shown` : "";
    shown.textContent = (count === images.length ? all : `${number(count)} of ${all}`) + first;
    rest.hidden = count <= limit;
    more.textContent = `Show ${number(count - limit)} more`;
  };
  more.addEventListener("click", () => {
    limit = Infinity;
    filter();
  });
  search.addEventListener("input", filter);
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.ariaPressed = String(chip.ariaPressed !== "true");
      filter();
    });
  }
  expand.addEventListener("click", () => {
    const open = expand.textContent === "Open all";
    for (const image of visible()) setOpen(image, open);
    expand.textContent = open ? "Close all" : "Open all";
  });

  const compare = {
    rank: (a, b) => Number(a.dataset.v) - Number(b.dataset.v),
    number: (a, b) => Number(a.dataset.v) - Number(b.dataset.v),
    text: (() => {
      const order = new Intl.Collator("en", { numeric: true }).compare;
      return (a, b) => order(a.textContent, b.textContent);
    })(),
  };
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      // Numbers are looked at for the largest; all else begins at the beginning.
      const first = head.dataset.sort === "number" ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const order = head.ariaSort === first ? other : first;
      for (const one of heads) one.removeAttribute("aria-sort");
      head.ariaSort = order;
      const sign = order === "ascending" ? 1 : -1;
      const by = compare[head.dataset.sort];
      const cell = (image) => image.rows[0].cells[column];
      images.sort((a, b) => sign * by(cell(a), cell(b)));
      table.append(...images);
      filter();
    });
  });
  filter();
})();
