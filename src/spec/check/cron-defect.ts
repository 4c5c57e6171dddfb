/** What is wrong with the text of a cron pattern, in words of its fields. `offset` into the text. */
export interface CronDefect {
  readonly message: string;
  readonly fix: string;
  readonly offset: number;
}

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly names: readonly string[];
}

const field = (name: string, least: number, most: number, names = ""): Field => ({
  ...{ name, least, most },
  names: names.split(" ").filter((word) => word !== ""),
});

const fields: readonly Field[] = [
  field("minute", 0, 59),
  field("hour", 0, 23),
  field("day of month", 1, 31),
  field("month", 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"),
  field("day of week", 0, 7, "sun mon tue wed thu fri sat"),
];

const nicknames: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** The first thing that five fields cannot say; null = it may be right, which the calendar decides. */
export function cronDefect(cron: string): CronDefect | null {
  const parts = [...cron.matchAll(/\S+/g)].map(({ 0: text, index: offset }) => ({ text, offset }));
  const [first] = parts;
  if (first?.text.startsWith("@") === true) return nickname(first.text, first.offset);
  if (parts.length !== 5) return wrongCount(parts.length, first?.offset ?? 0);
  for (const [index, { text, offset }] of parts.entries()) {
    const defect = fieldDefect(text, fields[index] ?? field("field", 0, 0));
    if (defect !== null) return { ...defect, offset };
  }
  return null;
}

function nickname(text: string, offset: number): CronDefect {
  const five = Object.hasOwn(nicknames, text.toLowerCase()) ? nicknames[text.toLowerCase()] : undefined;
  const fix = five === undefined ? 'Write five fields, as "30 3 * * *".' : `Write "${five}".`;
  return { message: `${text} is no cron pattern of five fields`, fix, offset };
}

function wrongCount(count: number, offset: number): CronDefect {
  const message = `${String(count)} ${count === 1 ? "field" : "fields"}; a pattern has five: minute hour day-of-month month day-of-week`;
  const fix = count === 6 ? "Leave the seconds out: slots are full minutes." : 'Write five, as "30 3 * * *".';
  return { message, fix, offset };
}

type Said = Omit<CronDefect, "offset">;

function fieldDefect(text: string, of: Field): Said | null {
  for (const part of text.split(",")) {
    const defect = partDefect(part, of);
    if (defect !== null) return defect;
  }
  return null;
}

function partDefect(part: string, of: Field): Said | null {
  const [range = "", step, more] = part.split("/");
  if (/^H(\(|$)/.test(range)) {
    return { message: `H is a word of Jenkins`, fix: `Choose ${of.name === "hour" ? "an" : "a"} ${of.name} yourself.` };
  }
  if (step !== undefined && (more !== undefined || !/^[1-9]\d*$/.test(step)))
    return { message: `"/${step}" is no step`, fix: `Write a step of 1 or more, as */15.` };
  const [from = "", to, beyond] = range.split("-");
  if (beyond !== undefined) return null;
  return endDefect([from, to ?? from], of) ?? orderDefect({ from, to, step }, of);
}

function endDefect(ends: readonly string[], of: Field): Said | null {
  const beyond = ends.find((end) => {
    const number = numberOf(end, of);
    return number !== null && (number < of.least || number > of.most);
  });
  const bounds = `${String(of.least)} to ${String(of.most)}`;
  return beyond === undefined
    ? null
    : { message: `${of.name} ${beyond} is not one of ${bounds}`, fix: `Write a ${of.name} of ${bounds}.` };
}

function orderDefect(
  { from, to, step }: { readonly from: string; readonly to: string | undefined; readonly step: string | undefined },
  of: Field,
): Said | null {
  const first = numberOf(from, of);
  if (first === null) return null;
  if (to === undefined) {
    if (step === undefined) return null;
    const fix = `Write ${from}-${String(of.most)}/${step}.`;
    return { message: `"${from}/${step}" has a step and no range`, fix };
  }
  const last = numberOf(to, of);
  if (last === null || first <= last) return null;
  const fix = `Write ${from}-${String(of.most)},${String(of.least)}-${to}.`;
  return { message: `${of.name} ${from}-${to} ends before it begins`, fix };
}

function numberOf(text: string, { names, least }: Field): number | null {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const at = names.indexOf(text.toLowerCase());
  return at < 0 ? null : at + least;
}
