export { EmojiPicker } from "./emoji-picker";
export { frequentEmoji, noteEmoji } from "./frequent";
export { type EmojiName, emojiNames } from "./names";
