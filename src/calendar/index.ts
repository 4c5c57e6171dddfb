export type { DueSlots, LateRange, SlotMove } from "./due-slots.ts";
export type { SlotScope } from "./slot-scope.ts";
