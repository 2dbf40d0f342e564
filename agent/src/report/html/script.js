// Zoom into the flame graph, and unfold everything for printing. The page reads well without.
"use strict";
const prepare = (root) => {
  for (const flame of root.querySelectorAll(".flame")) {
    const bars = [...flame.children].map((bar) => ({
      bar,
      left: parseFloat(bar.style.left),
      width: parseFloat(bar.style.width),
      depth: parseInt(bar.style.top.slice(5), 10),
    }));
    const back = flame.closest("section").querySelector(".back");
    const zoom = (to) => {
      for (const { bar, left, width, depth } of bars) {
        const above = depth < to.depth && left <= to.left + 1e-3 && left + width >= to.left + to.width - 1e-3;
        const inside = depth >= to.depth && left >= to.left - 1e-3 && left + width <= to.left + to.width + 1e-3;
        bar.hidden = !above && !inside;
        bar.classList.toggle("above", above);
        bar.style.left = above ? "0%" : ((left - to.left) / to.width) * 100 + "%";
        bar.style.width = above ? "100%" : (width / to.width) * 100 + "%";
      }
      back.hidden = to === bars[0];
    };
    flame.classList.add("zooms");
    flame.addEventListener("click", (event) => {
      const to = bars.find(({ bar }) => bar.contains(event.target));
      if (to) zoom(to);
    });
    back.addEventListener("click", () => zoom(bars[0]));
  }
};
prepare(document);
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll(".finding details:not([open])")];
  for (const details of folded) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of folded) details.open = false;
});
