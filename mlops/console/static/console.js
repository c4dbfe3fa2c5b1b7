// What a page does beside what HTML does: copy a value, switch light and dark, tell how long ago, draw curves.
(() => {
  "use strict";
  const root = document.documentElement;

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy");
    if (button === null) return;
    navigator.clipboard.writeText(button.dataset.copy).then(
      () => tell(button, "copied"),
      () => tell(button, "not allowed"),
    );
  });

  function tell(button, word) {
    button.textContent = word;
    setTimeout(() => { button.textContent = "copy"; }, 1200);
  }

  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    document.cookie = `mlops-console-theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=strict`;
    draw(true);
  });

  const STEPS = [[60, "s", 1], [3600, "min", 60], [86400, "h", 3600], [5184000, "days", 86400]];
  function ago(seconds) {
    if (seconds < 1) return "now";
    for (const [limit, unit, size] of STEPS) if (seconds < limit) return `${Math.floor(seconds / size)} ${unit} ago`;
    return `${Math.floor(seconds / 2592000)} months ago`;
  }
  setInterval(() => {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const told = time.querySelector(".ago");
      if (told !== null) told.textContent = ago((Date.now() - Date.parse(time.dateTime)) / 1000);
    }
  }, 5000);

  const DASHES = [undefined, [7, 3], [2, 3], [9, 3, 2, 3]];
  const drawn = new WeakMap();
  function draw(again) {
    if (typeof uPlot === "undefined") return;
    const style = getComputedStyle(root);
    const soft = style.getPropertyValue("--soft"), line = style.getPropertyValue("--line");
    const tones = [0, 1, 2, 3, 4, 5].map((at) => style.getPropertyValue(`--tone${at}`));
    for (const place of document.querySelectorAll("[data-curve]")) {
      if (drawn.get(place) === place.dataset.curve && !again) continue;
      drawn.set(place, place.dataset.curve);
      place.replaceChildren();
      const data = JSON.parse(place.dataset.curve), names = JSON.parse(place.dataset.names);
      const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
      new uPlot({
        width: Math.min(place.clientWidth, 900), height: 240,
        scales: { x: { time: false } },
        axes: [axis, { ...axis, size: 64 }],
        series: [{ label: "number" }, ...names.map((label, at) => (
          { label, stroke: tones[at % tones.length], dash: DASHES[Math.floor(at / tones.length) % DASHES.length],
            width: 1.6, spanGaps: names.length > 1 }))],
      }, data, place);
    }
  }
  // The end of a log is where whoever looks at it begins, and stays while it grows.
  let atEnd = true;
  function toEnd() {
    const log = document.querySelector(".log[data-end]");
    if (log !== null && atEnd && location.hash === "") log.scrollTop = log.scrollHeight;
  }
  document.addEventListener("scroll", (event) => {
    const log = event.target;
    if (log instanceof Element && log.matches(".log")) atEnd = log.scrollTop + log.clientHeight > log.scrollHeight - 40;
  }, true);

  draw(false);
  toEnd();
  document.addEventListener("htmx:after:swap", () => { draw(false); toEnd(); });
})();
