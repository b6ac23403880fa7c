"use strict";
// Starts the timeline of a page that holds nothing else.
document.body.classList.add("is-live");
TimelineView.mount(document.querySelector(".timeline"));
