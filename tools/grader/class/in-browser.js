// Sorts and filters the table of a class. Without it, the page shows everything.
const table = document.querySelector("#class");
const body = table.tBodies[0];
const filter = document.querySelector("#filter");
const shown = document.querySelector("#shown");

// A repository that is not graded has one wide cell for all figures
const keyOf = (row, column) => {
  const cell = row.cells[column] ?? row.cells[1];
  return cell.dataset.value ?? cell.textContent.trim();
};

for (const [column, heading] of [...table.tHead.rows[0].cells].entries()) {
  heading.querySelector("button")?.addEventListener("click", () => {
    // Names from A, figures from the highest
    const first = column === 0 ? "ascending" : "descending";
    const second = column === 0 ? "descending" : "ascending";
    const order = heading.ariaSort === first ? second : first;
    for (const other of table.tHead.rows[0].cells) other.ariaSort = null;
    heading.ariaSort = order;
    const sign = order === "ascending" ? 1 : -1;
    const compare = (a, b) =>
      sign * keyOf(a, column).localeCompare(keyOf(b, column), "en", { numeric: true });
    body.append(...[...body.rows].sort(compare));
  });
}

const show = (point) => {
  filter.value = point;
  let count = 0;
  for (const row of body.rows) {
    row.hidden = point !== "" && !row.dataset.failing.split(" ").includes(point);
    if (!row.hidden) count += 1;
  }
  shown.textContent = `${count} of ${body.rows.length} repositories`;
};

filter.addEventListener("change", () => show(filter.value));
for (const link of document.querySelectorAll("[data-point]")) {
  link.addEventListener("click", () => show(link.dataset.point));
}
document.querySelector("#controls").hidden = false;
show("");
