export { type ClockChange, clockChanges } from "./clock-changes.ts";
export { type DueSlots, dueSlots, type LateRange, type SlotMove } from "./due-slots.ts";
export { shortestInterval } from "./shortest-interval.ts";
export { type SlotMark, slotMark } from "./slot-mark.ts";
export { type SlotScope, slotScope } from "./slot-scope.ts";
export { checkSchedule, nextSlot, previousSlot, type SlotWindow, slotsBetween, type Timed } from "./slots.ts";
