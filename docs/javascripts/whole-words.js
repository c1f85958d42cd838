/* Code in a sentence breaks between its words only, so that a flag such as `--dry-run` is read as one. CSS alone cannot
   say so: a browser breaks after each hyphen. Paths, and words that are longer than a narrow screen, still break. */
"use strict";

const LONGEST = 30;

for (const code of document.querySelectorAll(".md-typeset :not(pre) > code")) {
  if (code.children.length > 0) {
    continue;
  }
  const parts = code.textContent.split(/([ \u00a0]+)/).map((part) => {
    if (part.trim() === "" || part.includes("/") || part.length > LONGEST) {
      return document.createTextNode(part);
    }
    const whole = document.createElement("span");
    whole.className = "whole-word";
    whole.textContent = part;
    return whole;
  });
  code.replaceChildren(...parts);
}
