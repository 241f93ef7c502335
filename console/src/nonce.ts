/** What a style sheet made by a script must have to count; the server gives every page another one. */
export const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? '';

// Where the library behind dialogs, which keeps the page below from scrolling, looks for it.
(globalThis as { __webpack_nonce__?: string }).__webpack_nonce__ = nonce;
