/** `node test/cli/kill-at-random.ts [kills] [seed]`: kills runs at random moments, alone and as a group. By hand. */
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../simulation/random.ts";
import { Bench } from "./cli.ts";
import { killAgainAndAgain } from "./killed-runs.ts";

const [wanted = "50", seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const random = new Random(Number(seed));
let kills = 0;
let failed = 0;
for (let story = 0; kills < Number(wanted); story += 1) {
  const bench = new Bench();
  const agents = story % 2 === 0 ? 1 : 3;
  let own = 0;
  const moment = async (): Promise<void> => {
    own += 1;
    await sleep(random.between(0, agents === 1 ? 900 : 2_500));
  };
  const problems = await killAgainAndAgain(bench, { agents, moment, kills: Math.min(8, Number(wanted) - kills) });
  kills += own;
  failed += problems.length;
  console.log(
    `story ${story}, ${agents} agents, ${own} kills: ${problems.length === 0 ? "well" : problems.join("; ")}`,
  );
  bench.dispose();
}
console.log(`seed ${seed}: ${kills} kills, ${failed} problems`);
process.exitCode = failed === 0 ? 0 : 1;
