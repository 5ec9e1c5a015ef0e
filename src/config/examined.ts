import * as v from "valibot";
import { BUILT_IN } from "./built-in.ts";
import { cacheFindings } from "./cache-rules.ts";
import type { AuthConfig, Config, DriverConfig, Parameters } from "./config.ts";
import { cutFindings } from "./cut-rules.ts";
import { endpointFindings } from "./endpoint-rules.ts";
import { applyEnvironment, type Environment } from "./environment.ts";
import type { Field } from "./fields.ts";
import { type Finding, inOrder } from "./finding.ts";
import { type Locate, locateIn } from "./located-error.ts";
import { optionFindings } from "./option-findings.ts";
import { type CheckParameters, parameterFindings } from "./parameter-findings.ts";
import { policyFindings } from "./policy-rules.ts";
import { toFinding } from "./problem.ts";
import { parametersOf, resolve } from "./resolve.ts";
import { review } from "./review.ts";
import {
  authFindings,
  driverFindings,
  driverName,
  leaveOutNone,
  ownController,
  requireVersion,
  spellOutParts,
} from "./rules.ts";
import { schema } from "./schema.ts";
import { ownAccess } from "./schema-auth.ts";
import { ownDriver, storage } from "./schema-storage.ts";
import { isSpecifier } from "./specifier.ts";
import { tlsFindings } from "./tls-rules.ts";
import { find, type Mapping, toInput } from "./tree.ts";
import { workerFindings } from "./worker-rules.ts";
import { parseYaml } from "./yaml-tree.ts";

export interface Examined {
  /** Always there where no finding is fatal. */
  readonly config: Config | undefined;
  readonly findings: readonly Finding[];
  readonly locate: Locate;
}

/**
 * Looks for everything that can be said of a configuration, and goes on after errors.
 *
 * @param name what messages call the text
 * @param check asks the driver about its parameters; by default nobody does
 * @throws {ConfigError} for what leaves nothing to look at: no YAML, another version
 */
export function examine(text: string, name: string, env: Environment, check: CheckParameters = () => []): Examined {
  const root = requireVersion(parseYaml(text, name, name !== BUILT_IN.name));
  const applied = applyEnvironment(root, env);
  spellOutParts(root);
  leaveOutNone(root);
  const { config, findings } = validate(root);
  const driver = config?.storage.driver ?? driverOf(root);
  return {
    config,
    locate: locateIn(root),
    findings: inOrder([
      ...[...applied, ...driverFindings(root), ...authFindings(root), ...cacheFindings(root), ...optionFindings(root)],
      ...[
        ...tlsFindings(root),
        ...policyFindings(root),
        ...endpointFindings(root),
        ...cutFindings(root),
        ...workerFindings(root),
        ...review(root),
        ...findings,
      ],
      ...(driver ? parameterFindings(root, driver, check) : []),
    ]),
  };
}

/** As far as it can be read where something else is wrong. */
function driverOf(root: Mapping): DriverConfig | undefined {
  const name = driverName(root);
  const section = name === undefined ? undefined : v.safeParse(storage, toInput(find(root, ["storage"]) ?? root));
  return name === undefined || !section?.success
    ? undefined
    : { name, parameters: parametersOf(section.output, name) ?? {} };
}

function validate(root: Mapping): Omit<Examined, "locate"> {
  const input = toInput(root);
  const driver = driverName(root);
  const file = v.safeParse(schema, input);
  const own = driver !== undefined && isSpecifier(driver) ? v.safeParse(ownDriver(driver), input) : undefined;
  const controller = ownController(root);
  const access = controller === undefined ? undefined : v.safeParse(ownAccess(controller), input);
  const issues = [file, own, access].flatMap((parsed) => parsed?.issues ?? []);
  return {
    config:
      file.success && driver !== undefined
        ? resolve(file.output, driver, outputOf(own), toOwn(controller, outputOf(access)))
        : undefined,
    findings: issues.map((issue) => toFinding(root, issue)),
  };
}

function outputOf<T>(parsed: v.SafeParseResult<Field<T>> | undefined): T | undefined {
  return parsed?.success ? parsed.output : undefined;
}

function toOwn(name: string | undefined, parameters: Parameters = {}): AuthConfig["own"] {
  return name === undefined ? undefined : { name, parameters };
}
