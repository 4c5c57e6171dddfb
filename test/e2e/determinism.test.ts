import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type DaemonProcess, startDaemonProcess } from "../support/daemon-process.ts";
import {
  createSpecRepository,
  dagPath,
  dagText,
  type RecordLine,
  recordedIn,
  recordLinesOf,
  type SpecRepository,
  tenantFiles,
} from "../support/spec-repository.ts";

/** What a run could learn of its place: the slot, text in another alphabet, dates, order, files. */
const mirror = dagText(
  "schedules:",
  "  - { name: often, every: 3s, inputs: { slot: '${{ slot.utc }}', day: '${{ slot.date }}' } }",
  "inputs: { slot: { type: string }, day: { type: string } }",
  "steps:",
  "  look: { uses: core.files@1.0.0, files: ['notes/*.json'] }",
  "  each:",
  "    needs: look",
  "    uses: core.js@1.0.0",
  "    forEach: { in: '${{ steps.look.outputs.documents }}', as: note }",
  "    with: { note: '${{ note.content }}' }",
  "    code: >",
  "      async ({ note }, ctx) => { const text = new TextDecoder().decode(await ctx.artifacts.read(note));",
  "      return { upper: text.toUpperCase(), local: text.toLocaleUpperCase(), sorted: text.split(/[ ,]+/u).sort((a, b) => a.localeCompare(b)) }; }",
  "  place:",
  "    uses: core.js@1.0.0",
  "    with: { slot: '${{ inputs.slot }}', day: '${{ inputs.day }}' }",
  "    code: >",
  "      ({ slot, day }) => ({ slot, day, now: Date.now(), shown: new Date(slot).toString(), hours: new Date(slot).getHours(),",
  "      offset: new Date(slot).getTimezoneOffset(), number: (1234567.891).toLocaleString(), chance: Math.random() })",
  "  after: { needs: [each, place], uses: core.log@1.0.0, with: { message: '${{ run.tenant }} at ${{ inputs.slot }}' } }",
);

const notes = {
  "tenants/acme/files/notes/a.json": '{"text":"iğne, ıspanak, İzmir, istanbul"}\n',
  "tenants/acme/files/notes/b.json": '{"text":"zebra, äpfel, Ångström, apple"}\n',
};

interface Twin {
  readonly dataDir: string;
  readonly repository: string;
}

/** A second site directory of the same name and recorder's key, over a copy of the repository as it stood at first. */
function makeTwin(specs: SpecRepository): Twin {
  const twin = { dataDir: join(specs.root, "twin-data"), repository: join(specs.root, "twin.git") };
  cpSync(specs.repository, twin.repository, { recursive: true });
  mkdirSync(join(twin.dataDir), { mode: 0o755 });
  cpSync(join(specs.dataDir, "signer"), join(twin.dataDir, "signer"), { recursive: true });
  const config = readFileSync(join(specs.dataDir, "config.yaml"), "utf8").replace(specs.repository, twin.repository);
  writeFileSync(join(twin.dataDir, "config.yaml"), config);
  return twin;
}

const isMirror = ({ kind, dagId, status }: RecordLine): boolean =>
  kind === "run" && dagId === "mirror" && status !== undefined;

/** What must not depend on the machine: every hash of a scheduled run, by its slot. */
async function hashesBySlot(repository: string): Promise<ReadonlyMap<string, object>> {
  const runs = (await recordLinesOf(repository)).map((line) => JSON.parse(line) as RecordLine).filter(isMirror);
  return new Map(
    runs.map(({ trigger, status, dagVersion, inputsHash, outputsHash, runToken, steps = [] }) => [
      trigger?.key ?? "",
      {
        ...{ status, specHash: dagVersion?.specHash, inputsHash, outputsHash, runToken },
        steps: steps.map(({ stepId, outputsHash: output, attempts }) => ({
          ...{ stepId, output },
          attempts: attempts.map(({ index, stepHash, stepKey }) => ({ index, stepHash, stepKey })),
        })),
      },
    ]),
  );
}

/** The slot of the next run of `mirror`. */
async function nextSlot(daemon: DaemonProcess, repository: string): Promise<string> {
  const { runId } = await daemon.nextRun("acme", "mirror");
  const { trigger } = await recordedIn(repository, (record) => record.runId === runId);
  return trigger?.key ?? "";
}

/** Resolves when the run of this slot is sealed. */
const sealedSlot = (repository: string, slot: string): Promise<RecordLine> =>
  recordedIn(repository, (record) => isMirror(record) && record.trigger?.key === slot);

it("one repository on two sites of one name, far apart in zone and tongue: slots that both ran have equal hashes", async () => {
  using specs = await createSpecRepository();
  await specs.commit({ ...tenantFiles("acme"), ...notes, [dagPath("acme", "mirror")]: mirror }, "Look into the mirror");
  await specs.push();
  expect(await specs.lint()).toMatchObject({ exit: 0, stdout: expect.stringContaining(`"ok":true`) as string });
  const twin = makeTwin(specs);
  const far = { env: { TZ: "Pacific/Kiritimati", LC_ALL: "tr_TR.UTF-8", LANG: "tr_TR.UTF-8" } };
  await using here = await startDaemonProcess(specs.dataDir);
  await using there = await startDaemonProcess(twin.dataDir, far);

  const slots = await Promise.all([nextSlot(here, specs.repository), nextSlot(there, twin.repository)]);
  // Both stood before either slot: the later one comes to both.
  const later = slots.sort().at(-1) ?? "";
  await Promise.all([sealedSlot(specs.repository, later), sealedSlot(twin.repository, later)]);

  const [mine, theirs] = await Promise.all([hashesBySlot(specs.repository), hashesBySlot(twin.repository)]);
  const both = [...mine.keys()].filter((slot) => theirs.has(slot));
  expect(both).toContain(later);
  expect(both.map((slot) => mine.get(slot))).toEqual(both.map((slot) => theirs.get(slot)));
  expect(both.map((slot) => (mine.get(slot) as { readonly status: string }).status)).toEqual(
    both.map(() => "succeeded"),
  );
  expect(JSON.stringify([...mine.values()])).not.toContain("null");
});
