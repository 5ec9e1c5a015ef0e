import { VARIABLE_NAMES } from "../../../src/config/keys.ts";

/** A part of a configuration, as YAML has it. */
export interface Section {
  readonly [key: string]: unknown;
}

/** A value at the place of a key of the table; what is a list, or free below, is given whole. */
export function sectionOf(key: string, value: unknown): Section {
  return stepsOf(key).reduceRight<unknown>((below, step) => ({ [step]: below }), value) as Section;
}

/** The variable of a key, as the old registry calls it. */
export function variableOf(key: string): string {
  const steps = stepsOf(key);
  const names = steps.map((step, index) => nameOf(steps.slice(0, index).join("."), step));
  return ["REGISTRY", ...names].join("_").toUpperCase();
}

/** Lays sections over another, each key over the same one. */
export function merge(...sections: readonly Section[]): Section {
  const merged: Record<string, unknown> = {};
  for (const section of sections) {
    for (const [key, value] of Object.entries(section)) {
      const below = merged[key];
      merged[key] = isSection(below) && isSection(value) ? merge(below, value) : value;
    }
  }
  return merged;
}

function stepsOf(key: string): readonly string[] {
  return key.replace(/(\[\]|\.\*).*$/, "").split(".");
}

function nameOf(section: string, step: string): string {
  const renamed = Object.entries(VARIABLE_NAMES).find(
    ([path, name]) => name === step && path.startsWith(`${section}.`),
  );
  return renamed?.[0].split(".").at(-1) ?? step;
}

function isSection(value: unknown): value is Section {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
