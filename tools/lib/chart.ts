import path from "node:path";
import type { EChartsOption } from "echarts";
import { escapeHtml } from "./format";
import { writeReport } from "./report-file";

/** A chart without script or animation, for a document that shows it in light and dark. */
export interface Chart {
  title: string;
  /** Below the title, in one line or more. */
  subtitle: string;
  /** What the chart shows, in sentences, for a reader who cannot see it. */
  description: string;
  /** In pixels. */
  height: number;
  /** Made anew for each theme. */
  option(colors: ChartColors): EChartsOption;
}

/** The background is GitHub's; the rest has a contrast of at least 4.5 to it. */
const themes = {
  light: { background: "#ffffff", text: "#1f2328", muted: "#59636e", grid: "#d1d9e0" },
  dark: { background: "#0d1117", text: "#f0f6fc", muted: "#9198a1", grid: "#3d444d" },
};
const accents = {
  light: { accent: "#d91a60", neutral: "#6f7a87", fail: "#c81457" },
  dark: { accent: "#ff7aa8", neutral: "#8b949e", fail: "#ff80ab" },
};

/** In pixels: that of a document on GitHub. */
const width = 960;

type ChartTheme = keyof typeof themes;
export type ChartColors = (typeof themes)["light"] & (typeof accents)["light"];

/** @returns A chart as SVG. Loads ECharts, a development dependency, only when a chart is drawn. */
export async function renderChart(chart: Chart, theme: ChartTheme): Promise<string> {
  const { init } = await import("echarts");
  const { title, subtitle, description, height } = chart;
  const colors = { ...themes[theme], ...accents[theme] };
  const echarts = init(null, theme, { renderer: "svg", ssr: true, width, height });
  try {
    const base = { animation: false, backgroundColor: colors.background };
    const textStyle = { color: colors.text, fontFamily: "system-ui, sans-serif" };
    const heading = {
      text: title,
      subtext: subtitle,
      left: 11,
      top: 10,
      textStyle: { color: colors.text, fontSize: 16 },
      subtextStyle: {
        color: colors.muted,
        fontSize: 12,
        lineHeight: 17,
        // ECharts adds 5 pixels to `left`
        width: width - 2 * (11 + 5),
        overflow: "truncate" as const,
      },
    };
    echarts.setOption({ ...base, textStyle, title: heading, ...chart.option(colors) });
    const words = `<title>${escapeHtml(title)}</title>\n<desc>${escapeHtml(description)}</desc>`;
    // Without the styles for a mouse pointer: nothing reacts to it, and Biome cannot parse them
    const svg = echarts.renderToSVGString().replace(/<style >.*?<\/style>\s*/s, "");
    const named = svg.replace(/^<svg([^>]*)>/, (_, size) => `<svg role="img"${size}>\n${words}`);
    return `${named}\n`;
  } finally {
    echarts.dispose();
  }
}

/** @returns Where the dark version of a chart is: `x-dark.svg` for `x.svg`. */
export function darkFile(file: string): string {
  const { dir, name, ext } = path.parse(file);
  return path.join(dir, `${name}-dark${ext}`);
}

/** Writes a chart into a file and its dark version into {@link darkFile}. */
export async function writeChart(file: string, chart: Chart): Promise<void> {
  await writeReport(file, await renderChart(chart, "light"));
  await writeReport(darkFile(file), await renderChart(chart, "dark"));
}
