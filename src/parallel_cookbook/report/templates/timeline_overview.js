"use strict";
// The strip above the lanes: how many tasks run, over the whole time; where hits are; what part is shown below.
const TimelineOverview = (() => {
  const M = TimelineModel, D = TimelineLayout;

  // The picture without the window, made once for each size and search.
  function image(view) {
    const { model, colours } = view, canvas = view.parts.overview, height = canvas.height / view.ratio;
    const made = document.createElement("canvas");
    made.width = canvas.width; made.height = canvas.height;
    const c = made.getContext("2d");
    c.scale(view.ratio, view.ratio);
    const columns = Math.max(1, Math.floor(view.area / 2));
    const key = `${columns}`;
    if (view.runningKey !== key) { view.running = M.running(model, columns); view.runningKey = key; }
    const top = Math.max(1, Math.ceil(view.running.reduce((most, value) => Math.max(most, value), 0) - 0.01));
    c.fillStyle = colours.panel; c.fillRect(view.gutter, 0, view.area, height);
    c.fillStyle = colours.states[Math.max(model.states.indexOf("running"), 0)];
    view.running.forEach((value, i) => {
      const tall = (Math.min(value, top) / top) * (height - 8);
      c.fillRect(view.gutter + i * (view.area / columns), height - 3 - tall, view.area / columns + 0.5, tall);
    });
    c.fillStyle = colours.soft; c.font = `11px ${D.FONT}`; c.textBaseline = "middle"; c.textAlign = "left";
    c.fillText("tasks running", 10, height / 2 - 7); c.fillText(`(up to ${top})`, 10, height / 2 + 8);
    c.fillStyle = colours.hit;
    const seen = new Set();
    for (const slice of view.found.slices) {
      const x = Math.floor(view.gutter + ((model.begin[slice] - model.first) / (model.length - model.first || 1)) * view.area);
      if (!seen.has(x)) { seen.add(x); c.fillRect(x - 0.5, 0, 2, 8); }
    }
    return made;
  }

  function frame(view) {
    const { model, colours } = view, canvas = view.parts.overview, c = canvas.getContext("2d"), height = canvas.height / view.ratio;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, canvas.width, canvas.height);
    c.drawImage(view.overviewImage, 0, 0);
    c.scale(view.ratio, view.ratio);
    const x = (moment) => view.gutter + Math.max(0, Math.min(1, (moment - model.first) / (model.length - model.first || 1))) * view.area;
    const left = x(view.t0), right = Math.max(x(view.t1), left + 2);
    c.fillStyle = colours.veil;
    c.fillRect(view.gutter, 0, left - view.gutter, height); c.fillRect(right, 0, view.width - right, height);
    c.strokeStyle = colours.ink; c.lineWidth = 1; c.strokeRect(left + 0.5, 0.5, right - left - 1, height - 1);
  }

  return { image, frame };
})();
