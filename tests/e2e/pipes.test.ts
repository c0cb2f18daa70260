import assert from "node:assert/strict";
import { chmod, mkdir, readdir } from "node:fs/promises";
import { describe, it } from "node:test";
import { adcRun, collect, standIn } from "../support/adc_run.ts";
import { type Fixture, fixture } from "../support/fixture.ts";
import { type Home, testHomes } from "../support/homes.ts";
import { shellWords } from "../support/in_terminal.ts";

/** Runs a script for bash, in which `adc_run` is the command. */
function inBash(
  script: string,
  { home, it, env = {} }: {
    readonly home: Home;
    readonly it: Fixture;
    readonly env?: Readonly<Record<string, string>>;
  },
) {
  const words = shellWords(home.command);
  return collect(["bash", "-c", `adc_run() { ${words} --quiet exec -- "$@"; }\n${script}`], {
    env: { ...it.env, ADC_TOKEN: it.token, ...env },
    cwd: it.folder.path,
  });
}

for (const home of await testHomes()) {
  const isNode = home.name.startsWith("node");

  describe(`a child's output on ${home.name}`, () => {
    it("can be opened by its name, in a folder that is gone again", async () => {
      await using it = await fixture();
      const script = 'set -e; echo out >/dev/stdout; echo error >/dev/stderr; echo "$ADC_TOKEN"';
      const temporary = `${it.folder.path}/tmp`;
      await mkdir(temporary);
      // Node.js alone has no other way to a pipe than by its name.
      for (const TMPDIR of isNode ? [temporary] : [temporary, "/dev/null"]) {
        const ended = await inBash(`adc_run sh -c '${script}'`, { home, it, env: { TMPDIR } });
        const { status, stdout, stderr } = ended;
        assert.deepEqual([status, stdout, stderr], [0, "out\n***\n", "error\n"], TMPDIR);
      }
      assert.deepEqual(await readdir(temporary), []);
    });

    it("arrives where no pipe can be made", async () => {
      await using it = await fixture();
      const ended = await inBash("adc_run sh -c 'echo out; echo error >&2; exit 3'", {
        home,
        it,
        env: { TMPDIR: `${it.folder.path}/adc.yaml` },
      });
      assert.deepEqual([ended.status, ended.stdout, ended.stderr], [3, "out\n", "error\n"]);
    });

    it("is what `doctor` warns of where no pipe can be made", async () => {
      await using it = await fixture();
      const warns = { [`${it.folder.path}/adc.yaml`]: isNode, "/tmp": false };
      for (const [TMPDIR, expected] of Object.entries(warns)) {
        const { stdout } = await adcRun(home, ["doctor"], {
          env: { ...it.env, ADC_TOKEN: it.token, TMPDIR },
          cwd: it.folder.path,
        });
        const warning = /warning .*no pipe can be made in ".*adc\.yaml": .* fix: .*TMPDIR/;
        assert.equal(warning.test(stdout.replaceAll(/\s+/g, " ")), expected, stdout);
      }
    });

    it("leaves no folder and no child behind where descriptors run out", async () => {
      await using it = await fixture();
      await mkdir(`${it.folder.path}/tmp`);
      // The binary has about 13 of its own by then, Node.js 22; some are left for a pipe, and none to list a
      // folder. With fewer than 20 Deno cannot load modules. Whoever has standard input ends the wait for
      // `cat`, a child that nobody watches too.
      const least = home.name === "deno" ? 20 : 13;
      const ended = await inBash(
        `for n in {${least}..25}; do rm -f ran
        (ulimit -n $n; adc_run sh -c ': >ran' 0>&1 >/dev/null; echo $? >status) | cat
        read status <status; [ $status = 0 ] || [ ! -e ran ] || echo "ran at $n"
        echo $status; done; ls tmp`,
        { home, it, env: { TMPDIR: `${it.folder.path}/tmp` } },
      );
      assert.match(ended.stdout, new RegExp(`^(\\d+\n){${26 - least}}$`), ended.stderr);
      assert.doesNotMatch(ended.stderr, /internal error|permissions/);
    });

    it("ends its writer by SIGPIPE when nobody reads it any more, without a word", async () => {
      await using it = await fixture();
      const ended = await inBash('adc_run yes | head -1; echo "${PIPESTATUS[0]}"', { home, it });
      assert.deepEqual([ended.stdout, ended.stderr], ["y\n141\n", ""]);
    });

    it("keeps its order where both streams lead to one file or pipe", async () => {
      await using it = await fixture();
      const script = "for i in 1 2 3 4; do echo out$i; echo error$i >&2; done";
      const lines = [1, 2, 3, 4].map((each) => `out${each}\nerror${each}\n`).join("");
      for (const place of ["> f 2>&1; cat f", "2>&1 | cat"]) {
        const ended = await inBash(`adc_run sh -c '${script}' ${place}`, { home, it });
        assert.equal(ended.stdout, lines, place);
      }
    });

    // Deno waits within a write, and hears no signal.
    const skip = home.name === "deno";
    it(
      "holds nobody up who ends it, where it has a reader that never reads",
      { skip },
      async () => {
        await using it = await fixture();
        const script = (program: string) =>
          `mkfifo ff; sleep 60 <ff & reader=$!
        ${shellWords(home.command)} -q --ephemeral exec -- sh -c '${program}' >ff & pid=$!
        until [ -e begun ]; do sleep 0.05; done; sleep 0.5
        kill -TERM $pid; wait $pid; echo $?; kill $reader; rm ff begun`;
        for (
          const [program, status] of [
            [": >begun; exec yes", "143\n"],
            ["head -c 300000 /dev/zero & : >begun; exit 3", "3\n"],
          ] as const
        ) {
          const ended = await inBash(script(program), { home, it });
          assert.deepEqual([ended.stdout, ended.stderr], [status, ""], program);
          const live = it.sandbox.liveTokens.filter(({ value }) => value !== it.token);
          assert.deepEqual(live, []);
        }
      },
    );

    it("has its exit code, whatever becomes of the report", async () => {
      await using it = await fixture();
      const words = shellWords(home.command);
      const ended = await inBash(
        `report() { ${words} --quiet --report "$1" exec -- sh -c "$2"; echo $?; }
        report >(true) 'sleep 0.3; exit 3'; report >(true) 'sleep 0.3'
        report >(cat >report) 'exit 4'; wait $!; grep -c '"exitCode":4' report`,
        { home, it },
      );
      assert.equal(ended.stdout, "3\n74\n4\n1\n", ended.stderr);
      assert.match(ended.stderr, /^(.*cannot write the report to "\/dev\/.*": EPIPE\n){2}$/);
    });

    it("leaves the pipe of others blocking", async () => {
      await using it = await fixture();
      // The sibling writes more than a pipe holds while adc-run, whose child has begun, still has it open.
      const ended = await inBash(
        `mkfifo begun over
        { adc_run sh -c 'echo x; : > begun; read line < over' &
          read line < begun; head -c 300000 /dev/zero || echo failed >&2; echo > over; wait; } |
          { sleep 0.3; wc -c; }`,
        { home, it },
      );
      assert.deepEqual([ended.stdout.trim(), ended.stderr], ["300002", ""]);
    });
  });

  describe(`a child's start on ${home.name}`, () => {
    it("hands over the descriptors that its words name", async () => {
      await using it = await fixture();
      const ended = await inBash(
        "echo file > f; adc_run cat /dev/fd/3 3<f <(echo bash); " +
          `zsh -fc ${shellWords([shellWords(home.command) + " -q exec -- cat <(echo zsh)"])}`,
        { home, it },
      );
      assert.deepEqual([ended.stdout, ended.stderr], ["file\nbash\nzsh\n", ""]);
    });

    // Deno gives every child copies of its pipes, and all that it was handed itself.
    it("hands over no descriptor of its own", { skip: home.name === "deno" }, async () => {
      await using it = await fixture();
      // With an end of the child's own pipe it would wait for itself; with adc-run's output, write past the mask.
      const ended = await inBash(
        'adc_run timeout 10 cat /dev/fd/{5..24} </dev/null 2>&1 | grep -c "No such file"; echo ${PIPESTATUS[0]}',
        { home, it },
      );
      assert.match(ended.stdout, /^(1[5-9]|20)\n1\n$/, ended.stderr);
      for (const place of ["3>&1", "> f 3>&1; cat f"]) {
        const script = `adc_run sh -c 'echo "$ADC_TOKEN" >/dev/fd/3' ${place}`;
        assert.equal((await inBash(script, { home, it })).stdout, "***\n", place);
      }
    });

    it("hands ADC a configuration that comes through a descriptor", async () => {
      await using it = await fixture();
      const env = { ADC_RUN_ADC: `${it.folder.path}/adc` };
      await chmod(await it.folder.write("adc", '#!/bin/sh\ncat "$3"\n'), 0o755);
      const ended = await inBash(
        `${shellWords(home.command)} -q sync -f /dev/stdin <adc.yaml
        ${shellWords(home.command)} -q diff -f /dev/fd/3 3<adc.yaml`,
        { home, it, env },
      );
      assert.deepEqual([ended.stdout, ended.stderr], ["services: []\n".repeat(2), ""]);
    });

    it("runs a script without a first line, as a shell does", async () => {
      await using it = await fixture();
      await chmod(await it.folder.write("script", 'echo "$@"\n'), 0o755);
      const ended = await inBash("adc_run ./script a 'b  c'; trap '' HUP; adc_run ./script d", {
        home,
        it,
      });
      assert.deepEqual([ended.stdout, ended.stderr], ["a b  c\nd\n", ""]);
    });

    it("names an interpreter that is missing", async () => {
      await using it = await fixture();
      const { folder } = it;
      for (
        const [line, found] of [
          ["#!/no/such/interpreter", /its interpreter "\/no\/such\/interpreter" was not found/],
          ["#!/bin/sh\r", /its interpreter "\/bin\/sh" was not found.*\n.* carriage return/],
        ] as const
      ) {
        await chmod(await folder.write("script", `${line}\necho\n`), 0o755);
        for (const before of ["", "trap '' INT; "]) {
          const ended = await inBash(`${before}adc_run ./script`, { home, it });
          assert.equal(ended.status, 126, ended.stderr);
          assert.match(ended.stderr, found);
        }
      }
    });

    it("refuses an ADC that is adc-run again, by its file", async () => {
      await using it = await fixture();
      const { folder } = it;
      const script = `#!/bin/sh\nexec ${shellWords(home.command)} "$@"\n`;
      const file = await folder.write("adc", script);
      await chmod(file, 0o755);
      const env = { ...it.env, ADC_TOKEN: it.token, ADC_RUN_ADC: file };
      const ended = await adcRun(home, ["ping"], { env, cwd: folder.path });
      assert.equal(ended.status, 126, ended.stderr);
      assert.equal(ended.stderr.match(/error: /g)?.length, 1, ended.stderr);
      assert.match(ended.stderr, /cannot run ADC: ".*adc" starts adc-run/);
      // A program that is no ADC may start one.
      const inner = ["exec", "--", ...home.command, "--adc", standIn("adc.mjs"), "ping"];
      const outer = await adcRun(home, inner, {
        env: { ...env, ADC_RUN_STARTED_ADC: standIn("adc.mjs") },
        cwd: folder.path,
      });
      assert.equal(outer.status, 0, outer.stderr);
    });
  });
}
