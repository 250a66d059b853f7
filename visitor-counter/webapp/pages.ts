import { createHash } from "node:crypto";

const style = `
  :root {
    color: #2a2140;
    font-family: "Avenir Next", "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
    line-height: 1.7;
  }
  * {
    box-sizing: border-box;
  }
  body {
    display: grid;
    place-items: center;
    min-height: 100vh;
    margin: 0;
    padding: 1.5rem;
    background: linear-gradient(105deg, #b83cc8, #9341ea 50%, #8248f5);
  }
  main {
    width: min(100%, 34rem);
    padding: clamp(2rem, 8vw, 4rem) clamp(1.25rem, 6vw, 3rem);
    border-radius: 1.25rem;
    background: #fff;
    box-shadow: 0 1.25rem 3rem rgb(44 10 110 / 0.35);
    text-align: center;
  }
  svg {
    display: block;
    width: 3.5rem;
    margin: 0 auto 1.25rem;
  }
  h1 {
    margin: 0;
    font-size: clamp(1.5rem, 1.2rem + 1.5vw, 2.1rem);
    font-weight: 300;
    line-height: 1.3;
    text-wrap: balance;
  }
  p {
    margin: 1rem 0 0;
    color: #635d78;
    text-wrap: balance;
  }
  .count {
    margin: 0.5rem 0 0;
    color: #d91a60;
    font-size: clamp(3rem, 16vw, 6rem);
    font-weight: 700;
    line-height: 1.1;
    overflow-wrap: anywhere;
    font-variant-numeric: tabular-nums;
  }
  a {
    display: inline-block;
    margin-top: 2rem;
    padding: 1rem 2.5rem;
    border-radius: 2rem;
    background: #d91a60;
    color: #fff;
    font-weight: 600;
    text-decoration: none;
  }
  a:hover {
    background: #8049f2;
  }
  a:focus-visible {
    outline: 3px solid #2a2140;
    outline-offset: 3px;
  }
`;

const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" aria-hidden="true"><g fill="none" stroke-width="5" stroke-linecap="round"><path stroke="#d91a60" d="M16 16a6.5 6.5 0 1 1-6.1 8.7"/><path stroke="#8049f2" d="M22.1 7.3A6.5 6.5 0 1 0 16 16"/></g></svg>`;

/**
 * Allows what the pages have, by its hash, and nothing else.
 * https://developer.mozilla.org/docs/Web/HTTP/Guides/CSP
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** @param count In digits; undefined if it is not available. */
export function welcomePage(count: string | undefined): string {
  const total =
    count === undefined
      ? "<p>The number of visitors is not available at the moment.</p>"
      : `<p class="count">${count}</p>\n<p>${count === "1" ? "visitor" : "visitors"} so far</p>`;
  return page("Welcome to Softy Pinko", `${total}\n${link("/count", "Count my visit")}`);
}

export function countedPage(count: string): string {
  return page("You are visitor number", `<p class="count">${count}</p>\n${startLink}`);
}

export function problemPage(problem: string): string {
  return page("Sorry", `<p>${problem}</p>\n${startLink}`);
}

// `nofollow`: crawlers are not visitors
const link = (to: string, text: string): string => `<a href="${to}" rel="nofollow">${text}</a>`;
const startLink = link("/", "Back to the start");

function page(heading: string, content: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Softy Pinko: visitor counter</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(logo)}">
<style>${style}</style>
</head>
<body>
<main>
${logo}
<h1>${heading}</h1>
${content}
</main>
</body>
</html>
`;
}
