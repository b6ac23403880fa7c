"use strict";
// Steps through the interleavings: in the picture, the table and the source at once. What it knows of a step it
// reads from the row's data attributes; without it the page shows every step, as a table.
(() => {
  const stories = [...document.querySelectorAll(".story")].filter((story) => story.querySelector(".steps"));
  if (!stories.length) return;
  document.body.classList.add("stepped");
  let active = null;

  function showPlaces(rows, position) {
    for (const line of document.querySelectorAll(".listing .at")) line.classList.remove("at");
    for (const place of document.querySelectorAll(".listing .here")) place.textContent = "";
    const last = new Map();
    rows.slice(0, position + 1).forEach((row) => last.set(row.dataset.task, row));
    for (const row of last.values()) {
      const line = document.getElementById(row.dataset.line);
      if (!line) continue;
      const label = document.createElement("span");
      label.textContent = row.dataset.name;
      label.className = "c" + row.dataset.colour;
      if (row === rows[position]) {
        label.classList.add("now");
        line.classList.add("at");
        const panel = line.closest("aside");
        const [top, bottom] = [line.offsetTop - panel.offsetTop, panel.clientHeight];
        if (top < panel.scrollTop + 30 || top > panel.scrollTop + bottom - 60) panel.scrollTop = top - bottom / 2;
      }
      line.querySelector(".here").append(label);
    }
  }

  function start(story) {
    const rows = [...story.querySelectorAll(".steps tbody tr")];
    const controls = story.querySelector(".controls");
    const where = story.querySelector(".where");
    const buttons = Object.fromEntries([...controls.querySelectorAll("button")].map((b) => [b.dataset.go, b]));
    const state = { story, position: rows.length };

    state.go = (position) => {
      active = state;
      state.position = Math.max(-1, Math.min(position, rows.length - 1));
      rows.forEach((row, index) => {
        row.classList.toggle("now", index === state.position);
        row.classList.toggle("later", index > state.position);
      });
      buttons.first.disabled = buttons.back.disabled = state.position < 0;
      buttons.on.disabled = buttons.last.disabled = state.position === rows.length - 1;
      const row = rows[state.position];
      const held = row ? row.dataset.held : "";
      where.textContent = row
        ? `step ${row.dataset.number} of ${rows[rows.length - 1].dataset.number}` + (held ? ` · held: ${held}` : "")
        : "before the first step";
      showPlaces(rows, state.position);
      state.picture.goStep(row ? row.dataset.number - 1 : -1);
    };
    const words = story.querySelector(".words");
    words.open = false;
    window.addEventListener("beforeprint", () => { words.open = true; });
    state.picture = TimelineView.mount(story.querySelector(".timeline"), {
      isEmbedded: true,
      onStep: (step) => { const at = rows.findIndex((row) => row.dataset.number - 1 === step); if (at >= 0) state.go(at); },
      onMove: (by) => state.move(by),
    });
    state.move = (by) => {
      const begun = state.position < rows.length;
      state.go(begun ? state.position + by : by > 0 ? 0 : rows.length - 2);
      const row = rows[Math.max(state.position, 0)];
      if (words.open) row.scrollIntoView({ block: "nearest" });
    };
    buttons.first.addEventListener("click", () => state.go(-1));
    buttons.back.addEventListener("click", () => state.move(-1));
    buttons.on.addEventListener("click", () => state.move(1));
    buttons.last.addEventListener("click", () => state.go(rows.length - 1));
    rows.forEach((row, index) => row.addEventListener("click", () => state.go(index)));
    story.addEventListener("focusin", () => { active = state; });
    controls.hidden = false;
    where.textContent = `${rows.length} steps`;
    buttons.back.disabled = true;
    return state;
  }

  const states = stories.map(start);
  active = states[0];
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const moves = { ArrowRight: 1, ArrowLeft: -1 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    active.move(moves[event.key]);
  });
  window.addEventListener("hashchange", () => {
    const target = states.find((state) => `#${state.story.id}` === location.hash);
    if (target) active = target;
  });
})();
