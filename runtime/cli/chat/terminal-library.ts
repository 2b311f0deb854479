/**
 * What the chat uses of pi-tui, the library for its terminal: keys, editor, completion, Markdown. Its parts are
 * imported one by one, since the whole of it takes twice as long to load.
 */
export { CombinedAutocompleteProvider } from "@earendil-works/pi-tui/dist/autocomplete.js";
export { Editor } from "@earendil-works/pi-tui/dist/components/editor.js";
export { matchesKey } from "@earendil-works/pi-tui/dist/keys.js";
export { ProcessTerminal, type Terminal } from "@earendil-works/pi-tui/dist/terminal.js";
export { setCapabilityOverrides } from "@earendil-works/pi-tui/dist/terminal-image.js";
export { type Component, CURSOR_MARKER } from "@earendil-works/pi-tui/dist/tui.js";
export { TuiMainScreen } from "@earendil-works/pi-tui/dist/tui-main-screen.js";
export {
  truncateToWidth,
  visibleWidth,
  wrapTextWithAnsi,
} from "@earendil-works/pi-tui/dist/utils.js";
