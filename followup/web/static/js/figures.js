/* Draws the tables of the figures: every picture is made of the table beside it, and leads where its numbers lead. */
"use strict";

(() => {
  if (!window.echarts) return;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const COLOURS = ["#3d6fb4", "#5b9a8b", "#d59b3d", "#b5656b", "#7a6aa8", "#6b7f94"];
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
      series: columns.map((column) => ({ type: "line", name: column.name, data: column.numbers, symbolSize: 6, triggerLineEvent: false })),
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
      series: columns.filter((_, place) => [0, 3, 4].includes(place)).map((column) => ({ type: "bar", name: column.name, data: column.numbers, barMaxWidth: 12 })),
    };
  };
  const KINDS = { bar: bars, line: lines, group: groups, funnel: bars };

  const draw = (place) => {
    const table = document.getElementById(place.dataset.of);
    const data = read(table);
    place.style.height = place.dataset.chart === "line" ? "320px" : `${Math.max(160, Math.min(640, data.names.length * (place.dataset.chart === "group" ? 52 : 26) + 60))}px`;
    const chart = echarts.init(place, null, { renderer: "canvas" });
    chart.setOption(KINDS[place.dataset.chart](data));
    chart.on("click", (event) => {
      const link = data.columns.find((column) => column.name === event.seriesName)?.links[event.dataIndex];
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
