// The live heap over time; dragging chooses a span of it.

class Timeline {
  /** `chosen(from, to)` gets two times in seconds. */
  constructor(canvas, chosen) {
    this.canvas = canvas;
    this.chosen = chosen;
    this.data = null;
    this.range = null;
    this.dragStart = null;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", () => { this.dragStart = null; });
  }

  show(data, range) {
    this.data = data;
    this.range = range;
    this.draw();
  }

  #seconds(event) {
    const frame = this.canvas.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - frame.left) / frame.width));
    return this.data.start + part * (this.data.end - this.data.start);
  }

  #down(event) {
    this.dragStart = this.#seconds(event);
    this.canvas.setPointerCapture(event.pointerId);
  }

  #move(event) {
    if (this.dragStart === null) return;
    const now = this.#seconds(event);
    this.range = [Math.min(this.dragStart, now), Math.max(this.dragStart, now)];
    this.draw();
  }

  #up(event) {
    if (this.dragStart === null) return;
    const now = this.#seconds(event);
    const [from, to] = [Math.min(this.dragStart, now), Math.max(this.dragStart, now)];
    this.dragStart = null;
    if (to - from > (this.data.end - this.data.start) / 200) this.chosen(from, to);
    else this.draw();
  }

  draw() {
    const { canvas, data } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (data === null || width === 0 || data.inuse.length === 0) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const floor = height - 34;
    const most = Math.max(1, ...data.inuse);
    const count = data.inuse.length;
    const x = (column) => column / count * width;
    this.#spans(context, color, x, floor);
    const mostResident = Math.max(...data.rss);
    if (mostResident > 0) {
      context.strokeStyle = color("--rss");
      context.beginPath();
      data.rss.forEach((value, column) => context.lineTo(x(column + 0.5), floor - value / mostResident * (floor - 14)));
      context.stroke();
    }
    context.fillStyle = color("--heap");
    context.beginPath();
    context.moveTo(0, floor);
    data.inuse.forEach((value, column) => {
      context.lineTo(x(column), floor - value / most * (floor - 14));
      context.lineTo(x(column + 1), floor - value / most * (floor - 14));
    });
    context.lineTo(width, floor);
    context.globalAlpha = 0.75;
    context.fill();
    context.globalAlpha = 1;
    context.fillStyle = color("--faint");
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "top";
    context.fillText(`heap at most ${amount(most, "bytes")}` + (mostResident > 0 ? `, RSS at most ${amount(mostResident, "bytes")}` : ""), 2, 0);
    context.fillText(`${data.start.toFixed(1)} s`, 2, height - 12);
    const end = `${data.end.toFixed(1)} s`;
    context.fillText(end, width - context.measureText(end).width - 2, height - 12);
    if (this.range !== null) this.#shade(context, color, width, floor);
  }

  #shade(context, color, width, floor) {
    const place = (seconds) => (seconds - this.data.start) / (this.data.end - this.data.start) * width;
    const [left, right] = this.range.map(place);
    context.fillStyle = color("--accent");
    context.globalAlpha = 0.18;
    context.fillRect(left, 0, Math.max(1, right - left), floor);
    context.globalAlpha = 1;
    context.fillRect(left, 0, 1, floor);
    context.fillRect(right - 1, 0, 1, floor);
  }

  #spans(context, color, x, floor) {
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "top";
    this.data.spans.forEach((span, index) => {
      const [left, right] = [x(span.first), x(span.last + 1)];
      context.fillStyle = color(index % 2 === 0 ? "--panel" : "--paper");
      context.fillRect(left, 14, right - left, floor - 14);
      context.fillStyle = color("--line");
      context.fillRect(left, 14, 1, floor);
      context.fillStyle = color("--ink");
      context.save();
      context.beginPath();
      context.rect(left + 2, floor + 2, Math.max(right - left - 4, 40), 14);
      context.clip();
      context.fillText(span.name, left + 3, floor + 4);
      context.restore();
    });
  }
}
