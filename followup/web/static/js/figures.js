/* Draws the tables of the figures: every picture is made of the table beside it, and leads where its numbers lead. */
"use strict";

(() => {
  if (!window.echarts) return;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const COLOURS = [css("--accent") || "#1f6b57", "#3d6fb4", "#d59b3d", "#b5656b", "#7a6aa8", "#6b7f94"];
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  // {names, columns: [{name, numbers, links}]} of a table; head lines of questions are no values.
  const read = (table) => {
    const heads = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent.trim());
    const rows = [...table.tBodies[0].rows].filter((row) => !row.classList.contains("question"));
    const columns = heads.map((name, place) => ({
      name,
      numbers: rows.map((row) => Number(row.cells[place + 1]?.dataset.number ?? 0)),
      links: rows.map((row) => row.cells[place + 1]?.querySelector("a")?.href),
    }));
    return { names: rows.map((row) => row.cells[0].firstChild.textContent.trim() || row.cells[0].textContent.trim()), columns };
  };

  const short = (text, most = 12) => (text.length > most ? text.slice(0, most - 1) + "…" : text);
  const base = () => ({
    animation: !still,
    color: COLOURS,
    textStyle: { color: css("--ink-soft"), fontFamily: getComputedStyle(document.body).fontFamily },
    tooltip: { trigger: "axis", renderMode: "richText", confine: true, axisPointer: { type: "shadow" } },
    grid: { left: 8, right: 24, top: 12, bottom: 8, containLabel: true },
  });
  const axes = () => ({
    value: { type: "value", minInterval: 1, splitLine: { lineStyle: { color: css("--line") } }, axisLabel: { color: css("--ink-soft") } },
    names: (names, more) => ({ type: "category", data: names, axisLine: { lineStyle: { color: css("--line") } }, axisTick: { show: false }, axisLabel: { color: css("--ink-soft") }, ...more }),
  });

  // Invited, completed, dissatisfied: six lines over each other tell nothing; the table has them all.
  const SHOWN = (columns) => columns.filter((_, place) => [0, 3, 4].includes(place));

  const bars = ({ names, columns }) => {
    const axis = axes();
    return {
      ...base(),
      xAxis: axis.value,
      yAxis: axis.names(names, { inverse: true, axisLabel: { color: css("--ink-soft"), formatter: (text) => short(text) } }),
      series: [{ type: "bar", name: columns[0].name, data: columns[0].numbers, barMaxWidth: 18 }],
    };
  };
  const lines = ({ names, columns }) => {
    const axis = axes();
    return {
      ...base(),
      legend: { top: 0, textStyle: { color: css("--ink-soft") } },
      grid: { left: 8, right: 16, top: 34, bottom: 8, containLabel: true },
      xAxis: axis.names(names),
      yAxis: axis.value,
      series: SHOWN(columns).map((column) => ({ type: "line", name: column.name, data: column.numbers, symbolSize: 6, triggerLineEvent: false })),
    };
  };
  const groups = ({ names, columns }) => {
    const axis = axes();
    return {
      ...base(),
      legend: { top: 0, textStyle: { color: css("--ink-soft") } },
      grid: { left: 8, right: 24, top: 34, bottom: 8, containLabel: true },
      xAxis: axis.value,
      yAxis: axis.names(names, { inverse: true, axisLabel: { color: css("--ink-soft"), formatter: (text) => short(text) } }),
      series: SHOWN(columns).map((column) => ({ type: "bar", name: column.name, data: column.numbers, barMaxWidth: 12 })),
    };
  };
  // A bar for each question with a scale, divided by what was said; from the same rows, question by question.
  const FEELINGS = { 非常满意: "#1f6b57", 很满意: "#2f8a70", 满意: "#6fb39d", 一般: "#d9c58a", 不满意: "#d08a5c", 非常不满意: "#b5484f" };
  const stacks = (_, table) => {
    const questions = [];
    for (const row of table.tBodies[0].rows) {
      const name = row.cells[0].textContent.trim();
      if (row.classList.contains("question")) questions.push({ name, values: {} });
      else if (name in FEELINGS) questions.at(-1).values[name] = { number: Number(row.cells[1].dataset.number ?? 0), link: row.cells[1].querySelector("a")?.href };
    }
    const asked = questions.filter((one) => Object.keys(one.values).length);
    const named = Object.keys(FEELINGS).filter((name) => asked.some((one) => name in one.values));
    const axis = axes();
    return {
      option: {
        ...base(),
        legend: { top: 0, textStyle: { color: css("--ink-soft") } },
        grid: { left: 8, right: 24, top: 34, bottom: 8, containLabel: true },
        xAxis: axis.value,
        yAxis: axis.names(asked.map((one) => one.name), { inverse: true, axisLabel: { color: css("--ink-soft"), formatter: (text) => short(text) } }),
        series: named.map((name) => ({ type: "bar", stack: "all", name, itemStyle: { color: FEELINGS[name] }, barMaxWidth: 22, data: asked.map((one) => one.values[name]?.number ?? 0) })),
      },
      rows: asked.length,
      link: (name, place) => asked[place]?.values[name]?.link,
    };
  };
  const KINDS = { bar: bars, line: lines, group: groups, funnel: bars };

  const draw = (place) => {
    const table = document.getElementById(place.dataset.of);
    const kind = place.dataset.chart;
    const data = read(table);
    const made = kind === "stack" ? stacks(data, table) : {
      option: KINDS[kind](data),
      rows: data.names.length,
      link: (name, row) => data.columns.find((column) => column.name === name)?.links[row],
    };
    if (!made.rows) return;
    const each = { group: 52, stack: 44 }[kind] ?? 26;
    place.style.height = kind === "line" ? "320px" : `${Math.max(160, Math.min(640, made.rows * each + 60))}px`;
    const chart = echarts.init(place, null, { renderer: "canvas" });
    chart.setOption(made.option);
    chart.on("click", (event) => {
      const link = made.link(event.seriesName, event.dataIndex);
      if (link) location.assign(link);
    });
    new ResizeObserver(() => chart.resize()).observe(place);
  };
  const drawAll = () => {
    for (const place of document.querySelectorAll("[data-chart]")) {
      echarts.getInstanceByDom(place)?.dispose();
      draw(place);
    }
  };
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
