// Charts, leaderboard and explorer of the report. All data is in the page; text is set as text, never as markup.
const $ = (id) => document.getElementById(id);
const dark = matchMedia("(prefers-color-scheme: dark)");
const STEPS = 1000;
const SHAPES = { supervised: "circle", self_supervised: "square", self_sup_sup: "diamond", clip: "triangle-up", human: "cross", random: "triangle-down" };
const OTHER_SHAPES = ["triangle-left", "triangle-right", "arrow"];

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

function rowsOf(table) {
  const names = Object.keys(table);
  const length = names.length ? table[names[0]].values.length : 0;
  return Array.from({ length }, (_, i) => Object.fromEntries(names.map((name) => {
    const { values, levels } = table[name];
    return [name, levels ? levels[values[i]] : values[i]];
  })));
}

const element = (tag, text, className) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
};
const shown = (id) => (paradigmOf[id] ? paradigmOf[id].label : String(id).replaceAll("_", " "));
const fill = (select, options, chosen) => {
  select.replaceChildren(...options.map(([value, label]) => {
    const option = element("option", label);
    option.value = value;
    return option;
  }));
  if (chosen !== undefined) select.value = chosen;
};
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const data = await unpack($("payload").textContent);
const paradigmOf = Object.fromEntries(data.paradigms.map((p) => [p.id, p]));
const scores = rowsOf(data.scores);
const readout = scores.filter((row) => data.models[row.model].readout === row.layer);

// A variant of a metric against one reference, most often a human representation.
const measures = data.measures;
const measureOf = Object.fromEntries(measures.map((m) => [m.id, m]));
const scaled = (measure, value) => (value === null ? null : measure.rate ? 100 * value : value);
const colourOf = (id) => (paradigmOf[id].colour === "#000000" && dark.matches ? "#f2f2f2" : paradigmOf[id].colour);

function paradigmScale() {
  return { domain: data.paradigms.map((p) => p.label), range: data.paradigms.map((p) => colourOf(p.id)) };
}

async function draw(id, spec, description) {
  const ink = css("--ink"), soft = css("--soft"), line = css("--line");
  await window.vegaEmbed(`#${id}`, {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json", description, background: "transparent",
    config: {
      font: css("--sans"), view: { stroke: null },
      axis: { labelColor: soft, titleColor: ink, gridColor: line, domainColor: soft, tickColor: soft, labelFontSize: 12, titleFontSize: 13, titleFontWeight: 500, gridOpacity: 0.6, tickCount: 6 },
      legend: { labelColor: ink, titleColor: soft, labelFontSize: 12, titleFontSize: 12, orient: "bottom", columns: 4, symbolOpacity: 1 },
      title: { color: ink, fontSize: 13, fontWeight: 500, anchor: "start" },
      range: { category: ["#0072B2", "#D55E00", "#007A5A", "#CC79A7", "#56B4E9", "#E69F00", "#8C6D31", "#6A3D9A"] },
    },
    ...spec,
  }, { renderer: "svg", actions: { export: true, source: false, compiled: false, editor: false }, downloadFileName: id });
  $(id).querySelector("summary").ariaLabel = `Save: ${description}`;
}

const width = (id) => Math.max(280, Math.min(960, $(id).clientWidth - 90));

// --- any two measures -------------------------------------------------------------------------------------------------
function compare() {
  const x = measureOf[$("x-measure").value], y = measureOf[$("y-measure").value], field = $("colour-by").value;
  const of = (measure) => new Map(readout.filter((r) => r.measure === measure.id).map((r) => [r.model, r]));
  const xs = of(x), ys = of(y), numeric = field === "train_images";
  const values = [...xs.keys()].filter((model) => ys.has(model)).map((model) => {
    const row = data.models[model], a = xs.get(model), b = ys.get(model), raw = row[field] ?? "";
    return {
      model: shown(model), x: scaled(x, a.value), xl: scaled(x, a.ci_low), xh: scaled(x, a.ci_high),
      y: scaled(y, b.value), yl: scaled(y, b.ci_low), yh: scaled(y, b.ci_high),
      colour: field === "paradigm" ? shown(raw) : numeric ? Number(raw) || null : raw || "not given",
    };
  });
  const colour = field === "paradigm" ? { scale: paradigmScale() } : numeric ? { type: "quantitative", scale: { type: "log", scheme: "viridis" } } : {};
  // Colour is not the only sign of a paradigm.
  const shape = field === "paradigm" ? { shape: { field: "colour", type: "nominal", title: field, scale: { domain: data.paradigms.map((p) => p.label), range: data.paradigms.map((p, i) => SHAPES[p.id] ?? OTHER_SHAPES[i % OTHER_SHAPES.length]) } } } : {};
  const encoding = { color: { field: "colour", type: "nominal", title: field.replaceAll("_", " "), ...colour } };
  const axis = (field, measure) => ({ field, type: "quantitative", title: measure.label, scale: { zero: false, nice: true } });
  const layer = [
    { mark: { type: "rule", strokeWidth: 1.2, opacity: 0.7, aria: false }, encoding: { x: axis("xl", x), x2: { field: "xh" }, y: axis("y", y) } },
    { mark: { type: "rule", strokeWidth: 1.2, opacity: 0.7, aria: false }, encoding: { x: axis("x", x), y: axis("yl", y), y2: { field: "yh" } } },
    { mark: { type: "point", filled: true, size: 80, opacity: 1 }, encoding: {
      x: axis("x", x), y: axis("y", y), ...shape,
      tooltip: [{ field: "model" }, { field: "x", title: x.label, format: ".4~g" }, { field: "y", title: y.label, format: ".4~g" }, { field: "colour", title: field }] } },
  ];
  if ($("show-names").checked) layer.push({ mark: { type: "text", align: "left", dx: 8, dy: -6, fontSize: 11, aria: false }, encoding: { x: axis("x", x), y: axis("y", y), text: { field: "model" } } });
  $("compare-says").textContent = `${values.length} models: ${y.label} against ${x.label}.`;
  return draw("compare-chart", { width: width("compare-chart"), height: 420, data: { values }, encoding, layer }, `${y.label} against ${x.label}`);
}

// --- depth -------------------------------------------------------------------------------------------------------------
function depth() {
  const measure = measureOf[$("depth-measure").value];
  const own = scores.filter((r) => r.measure === measure.id);
  const values = own.map((r) => ({
    model: shown(r.model), layer: r.layer, depth: r.depth, paradigm: shown(data.models[r.model].paradigm),
    value: scaled(measure, r.value), low: scaled(measure, r.ci_low), high: scaled(measure, r.ci_high),
  }));
  const lines = (name) => own.map((r) => r[name]).find((v) => v !== null && v !== undefined);
  const rules = ["chance", "ceiling"].filter((name) => lines(name) !== undefined).map((name) => ({ name, value: scaled(measure, lines(name)) }));
  const at = { x: { field: "depth", type: "quantitative", title: "relative depth", scale: { domain: [0, 1] } } };
  const up = { field: "value", type: "quantitative", title: measure.label, scale: { zero: false } };
  const each = { detail: { field: "model" }, color: { field: "paradigm", type: "nominal", title: "paradigm", scale: paradigmScale() } };
  const layer = [
    { mark: { type: "area", opacity: 0.12, aria: false }, encoding: { ...at, ...each, y: { ...up, field: "low" }, y2: { field: "high" } } },
    { mark: { type: "line", strokeWidth: 1.8 }, encoding: { ...at, ...each, y: up } },
    { mark: { type: "point", filled: true, size: 45, opacity: 1 }, encoding: { ...at, ...each, y: up, tooltip: [{ field: "model" }, { field: "layer" }, { field: "value", title: measure.label, format: ".4~g" }] } },
    { data: { values: rules }, mark: { type: "rule", strokeDash: [2, 3], color: css("--soft") }, encoding: { y: { field: "value", type: "quantitative" }, tooltip: [{ field: "name" }, { field: "value", format: ".4~g" }] } },
  ];
  const deep = new Set(own.filter((r) => r.depth < 1).map((r) => r.model)).size;
  $("depth-says").textContent = `${deep} of ${new Set(own.map((r) => r.model)).size} models have several layers with this measure. Dotted: ${rules.map((r) => `${r.name} ${r.value.toPrecision(3)}`).join(", ") || "no reference"}.`;
  return draw("depth-chart", { width: width("depth-chart"), height: 380, data: { values }, layer }, `${measure.label} over depth`);
}

// --- transport plans ---------------------------------------------------------------------------------------------------
const explorer = data.explorer;
const numberOf = new Map(explorer.objects.map((name, i) => [name, i]));
const spoken = (i) => explorer.objects[i].replaceAll("_", " ");

function partners(plan, direction, object, caption) {
  const row = plan.objects.indexOf(object);
  const table = element("table", undefined, "plain");
  table.append(element("caption", caption));
  const head = element("tr");
  for (const [name, className] of [["object"], ["category"], ["share of its mass", "number"]]) {
    const cell = element("th", name, className);
    cell.scope = "col";
    head.append(cell);
  }
  table.append(element("thead"));
  table.tHead.append(head);
  const body = element("tbody");
  plan[direction].forEach((column, k) => {
    const other = column[row], mass = plan[`${direction}_mass`][k][row] / STEPS;
    const line = element("tr", undefined, other === object ? "itself" : "");
    const name = element("th");
    name.scope = "row";
    if (explorer.images[other]) name.append(picture(other, 36));
    const go = element("button", spoken(other));
    go.type = "button";
    go.addEventListener("click", () => choose(other));
    name.append(go);
    const alike = explorer.categories[other] === explorer.categories[object];
    const category = element("td", explorer.categories[other] + (other === object ? " (the object itself)" : alike ? " (same category)" : ""), alike ? "alike" : "");
    const share = element("td", undefined, "number");
    const bar = element("span", undefined, "bar");
    bar.style.width = `${Math.round(70 * mass)}px`;
    share.append(bar, `${(100 * mass).toFixed(1)}%`);
    line.append(name, category, share);
    body.append(line);
  });
  table.append(body);
  return table;
}

function picture(object, side) {
  const image = element("img");
  image.src = explorer.images[object];
  image.alt = "";
  image.width = image.height = side;
  return image;
}

function choose(object) {
  $("plan-object").value = explorer.objects[object].replaceAll("_", " ");
  plans();
}

function plans() {
  const human = $("plan-human").value, model = $("plan-model").value, card = $("plan-card");
  const plan = explorer.plans.find((p) => p.human === human && p.model === model);
  const typed = $("plan-object").value.trim().replaceAll(" ", "_").toLowerCase();
  const object = explorer.objects.findIndex((name) => name.replaceAll(" ", "_").toLowerCase() === typed);
  if (!plan) return card.replaceChildren(element("p", "This pair was not aligned.", "note"));
  if (object < 0 || !plan.objects.includes(object)) {
    const near = explorer.objects.filter((name) => typed && name.replaceAll(" ", "_").toLowerCase().includes(typed)).slice(0, 8);
    return card.replaceChildren(element("p", near.length ? `No object of that name. Near it: ${near.map((n) => n.replaceAll("_", " ")).join(", ")}.` : "No object of that name in this alignment.", "note"));
  }
  const title = element("div", undefined, "object");
  if (explorer.images[object]) title.append(picture(object, 72));
  const words = element("div");
  words.append(element("strong", spoken(object)), element("div", `category: ${explorer.categories[object]}`));
  title.append(words);
  const both = element("div", undefined, "directions");
  both.append(
    partners(plan, "rows", object, `${spoken(object)} of ${shown(human)} goes to these objects of ${shown(model)}`),
    partners(plan, "columns", object, `${spoken(object)} of ${shown(model)} comes from these objects of ${shown(human)}`),
  );
  return card.replaceChildren(title, both);
}

// --- convergence -------------------------------------------------------------------------------------------------------
const trials = rowsOf(data.trials), runs = rowsOf(data.runs);
const pairKey = (r) => JSON.stringify([r.human, r.model, r.layer]);

function convergence() {
  const key = $("trial-pair").value;
  const own = trials.filter((r) => pairKey(r) === key && r.loss !== null).map((r) => ({ ...r, kept: r.best ? "kept" : r.status }));
  const map = runs.filter((r) => pairKey(r) === key && r.loss !== null);
  const best = own.find((r) => r.best);
  $("trial-says").textContent = `${own.length} trials; ` + (best ? `the one that was kept has loss ${best.loss.toPrecision(5)} at epsilon ${best.epsilon.toPrecision(3)}${best.top1 === null ? "" : ` and matches ${(100 * best.top1).toFixed(1)}% of the objects`}.` : "none was kept.")
    + (map.length ? "" : " No sensitivity map was made (gwot.robustness in the config).");
  const half = Math.min(440, width("trial-chart"));
  const first = draw("trial-chart", {
    width: half, height: 260, title: "loss against epsilon", data: { values: own },
    mark: { type: "point", filled: true, size: 70, opacity: 0.9 },
    encoding: {
      x: { field: "epsilon", type: "quantitative", scale: { type: "log", nice: false, padding: 12 }, title: "epsilon" },
      y: { field: "loss", type: "quantitative", scale: { zero: false }, title: "loss" },
      color: { field: "kept", type: "nominal", title: "trial", scale: { domain: ["kept", "complete", "pruned", "failed"], range: ["#0072B2", "#56B4E9", "#999999", "#D55E00"] } },
      shape: { field: "kept", type: "nominal", title: "trial", scale: { domain: ["kept", "complete", "pruned", "failed"] } },
      tooltip: ["start", "epsilon", "loss", "status", "seconds"].map((field) => ({ field })),
    },
  }, "Loss against epsilon of all trials");
  if (!map.length) {
    $("sensitivity-chart").replaceChildren();
    return first;
  }
  return Promise.all([first, draw("sensitivity-chart", {
    width: half, height: 260, title: "object matching (%) by epsilon and seed", data: { values: map.map((r) => ({ ...r, epsilon: r.epsilon.toPrecision(2), rate: 100 * r.top1 })) },
    mark: "rect",
    encoding: {
      x: { field: "epsilon", type: "ordinal", sort: null, title: "epsilon" }, y: { field: "seed", type: "ordinal", title: "seed" },
      color: { field: "rate", type: "quantitative", title: "top-1 (%)", scale: { scheme: "viridis" } },
      tooltip: [{ field: "epsilon" }, { field: "seed" }, { field: "rate", title: "top-1 (%)", format: ".2f" }, { field: "loss", format: ".5g" }],
    },
  }, "Object matching by epsilon and seed")]);
}

// --- set up ------------------------------------------------------------------------------------------------------------
const options = measures.map((m) => [m.id, m.label]);
const pick = (...wanted) => (wanted.map((w) => measures.find((m) => m.metric === w)).find(Boolean) ?? measures[0]).id;
// Many names hide each other; a reader can ask for them.
$("show-names").checked = Object.keys(data.models).length <= 20;
fill($("x-measure"), options, pick("gwot_category"));
fill($("y-measure"), options, pick("gwot"));
fill($("depth-measure"), options, pick("rsa", "odd_one_out"));
const sheet = [...new Set(Object.values(data.models).flatMap((row) => Object.keys(row)))].filter((f) => !["layers", "identifier", "order", "weights", "revision"].includes(f));
fill($("colour-by"), sheet.map((f) => [f, f.replaceAll("_", " ")]), "paradigm");
const humans = [...new Set(explorer.plans.map((p) => p.human))], models = [...new Set(explorer.plans.map((p) => p.model))];
fill($("plan-human"), humans.map((h) => [h, shown(h)]));
fill($("plan-model"), models.map((m) => [m, shown(m)]));
$("object-names").replaceChildren(...explorer.objects.map((name) => { const o = element("option"); o.value = name.replaceAll("_", " "); return o; }));
const pairs = [...new Map(trials.map((r) => [pairKey(r), r])).entries()];
fill($("trial-pair"), pairs.map(([key, r]) => [key, `${shown(r.model)}, ${r.layer} with ${shown(r.human)}`]));

const board = new window.DataTable("#leaderboard", {
  paging: false, order: [], autoWidth: false,
  language: { search: "Search", info: "_TOTAL_ models", infoFiltered: "of _MAX_", infoEmpty: "no model", zeroRecords: "No model fits." },
});
$("paradigm-filter").addEventListener("change", (event) => {
  const value = event.target.value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  board.column(1).search(value ? `^${value}$` : "", true, false).draw();
});
for (const id of ["x-measure", "y-measure", "colour-by", "show-names"]) $(id).addEventListener("change", compare);
$("depth-measure").addEventListener("change", depth);
for (const id of ["plan-human", "plan-model"]) $(id).addEventListener("change", plans);
$("plan-object").addEventListener("input", plans);
$("plan-random").addEventListener("click", () => {
  const plan = explorer.plans.find((p) => p.human === $("plan-human").value && p.model === $("plan-model").value) ?? explorer.plans[0];
  choose(plan.objects[Math.floor(Math.random() * plan.objects.length)]);
});
$("trial-pair").addEventListener("change", convergence);
async function charts() {
  await compare();
  await depth();
  await convergence();
}
dark.addEventListener("change", charts);
if (explorer.plans.length) choose(explorer.plans[0].objects[0]);
await charts();
document.documentElement.dataset.ready = "yes";
