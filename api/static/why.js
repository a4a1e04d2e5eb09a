// Draws each path of evidence from the words that stand beside it. Without this script the page lacks only the drawings.
"use strict";

const SHORTEST_LABEL = 18;
const LETTER_PX = 6;
const NARROW_PX = 146; // per node; below that, paths are drawn from top to bottom
const GROUPS = { Person: "person", Goal: "goal", Skill: "skill", OrganisationUnit: "unit" };

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Two lines of a node of some width, so that with its kind it stays within its box.
function shortened(text, width) {
  const longest = Math.max(SHORTEST_LABEL, Math.floor(width / LETTER_PX - 2) * 2);
  return text.length > longest ? `${text.slice(0, longest - 1).trimEnd()}…` : text;
}

function elementsOf(steps, across, room, width) {
  const elements = [];
  steps.forEach(({ dataset }, place) => {
    const kind = dataset.counted + dataset.kind.replace(/(?<=[a-z])(?=[A-Z])/g, " ");
    const label = dataset.label ? `${kind}\n${shortened(dataset.label, width)}` : kind;
    const group = GROUPS[dataset.kind] || "other";
    const at = (place + 0.5) * room;
    elements.push({ data: { id: `n${place}`, label, group }, position: across ? { x: at, y: 0 } : { x: 0, y: at } });
    if (place === 0) return;
    const [source, target] = dataset.direction === "backward" ? [place, place - 1] : [place - 1, place];
    const classes = `${dataset.direction === "computed" ? "computed" : ""} ${dataset.holds === "no" ? "ended" : ""}`;
    const edge = dataset.holds === "no" ? `${dataset.edge} (ended)` : dataset.edge;
    elements.push({ data: { id: `e${place}`, source: `n${source}`, target: `n${target}`, label: edge }, classes });
  });
  return elements;
}

function style(width) {
  const font = getComputedStyle(document.body).fontFamily;
  const groups = ["person", "goal", "skill", "unit", "other"].map((group) => ({
    selector: `node[group = "${group}"]`,
    style: { "background-color": colour(group), color: colour(`${group}-ink`), "border-color": colour(`${group}-ink`) },
  }));
  return [
    { selector: "node", style: {
      shape: "round-rectangle", width, height: 58, label: "data(label)", "font-family": font, "font-size": 12, "line-height": 1.15,
      "text-valign": "center", "text-halign": "center", "text-wrap": "wrap", "text-max-width": width - 12,
      "border-width": 1, "border-opacity": 0.35 } },
    ...groups,
    { selector: "edge", style: {
      width: 1.5, "curve-style": "straight", "line-color": colour("quiet"), "target-arrow-color": colour("quiet"),
      "target-arrow-shape": "triangle", "arrow-scale": 0.9, label: "data(label)", "font-family": font, "font-size": 9.5,
      color: colour("quiet"), "text-margin-y": -9, "text-background-color": colour("card"),
      "text-background-opacity": 1, "text-background-padding": 2 } },
    { selector: "edge.computed", style: { "line-style": "dashed", "target-arrow-shape": "none" } },
    { selector: "edge.ended", style: { "line-style": "dotted", "line-color": colour("minus"), color: colour("minus") } },
  ];
}

function draw(figure) {
  const steps = [...figure.parentElement.querySelectorAll(".steps > li")];
  figure.hidden = false;
  const room = figure.clientWidth / steps.length;
  const across = room >= NARROW_PX;
  figure.classList.toggle("upright", !across);
  const width = across ? Math.max(86, Math.min(190, room - 74)) : Math.min(260, figure.clientWidth - 20);
  const cy = cytoscape({
    container: figure,
    elements: elementsOf(steps, across, across ? room : 100, width),
    style: style(width),
    layout: { name: "preset" },
    autoungrabify: true, autounselectify: true, boxSelectionEnabled: false,
    userPanningEnabled: false, userZoomingEnabled: false,
  });
  cy.fit(undefined, 2);
  if (cy.zoom() > 1) { cy.zoom(1); cy.center(); }
  figure.dataset.nodes = cy.nodes().length;
  figure.dataset.edges = cy.edges().length;
  return cy;
}

let drawn = [];
function drawAll() {
  drawn.forEach((cy) => cy.destroy());
  drawn = [...document.querySelectorAll(".drawing")].map(draw);
}

let waiting = 0;
function drawSoon() {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(drawAll);
}

if (typeof cytoscape === "function") {
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawSoon);
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; drawSoon(); } });
}
