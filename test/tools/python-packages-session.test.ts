/** Packages in real interpreters: imported when a cell asks, held by the same sandbox, named to the model. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  createPythonTool,
  installPythonPackages,
  openPythonPackages,
  type PythonTool,
} from "../../tools/index.ts";
import { pythonCells } from "./python-cells.ts";
import {
  extensionModule,
  makeMirror,
  sha256,
  sharedLibrary,
  type TestPackage,
  zip,
} from "./python-wheels.ts";

// Starting without a snapshot computes for seconds, which take minutes on a machine with other work.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const base = mkdtempSync(join(tmpdir(), "chorale-test-packages-"));
const cacheDir = join(base, "cache");
const folder = join(base, "store");
const EXTENSION = "cpython-314-wasm32-emscripten.so";

/** As much of a figure library as is used: figures by number, and a backend that writes real PNG files. */
const matplotlib: TestPackage = {
  name: "matplotlib",
  version: "3.10.8",
  imports: ["matplotlib"],
  depends: ["pure"],
  files: {
    "matplotlib/__init__.py":
      "import os\n_backend = os.environ.get('MPLBACKEND', '')\ndef get_backend(): return _backend\n",
    "matplotlib/backends/__init__.py": "",
    "matplotlib/backends/backend_agg.py": `
import struct, zlib
def _chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
def print_png(path, points):
    size = max(2, len(points))
    rows = b''.join(b'\\0' + b'\\xff' * size for _ in range(size))
    with open(path, 'wb') as file:
        file.write(b'\\x89PNG\\r\\n\\x1a\\n')
        file.write(_chunk(b'IHDR', struct.pack('>IIBBBBB', size, size, 8, 0, 0, 0, 0)))
        file.write(_chunk(b'IDAT', zlib.compress(rows)) + _chunk(b'IEND', b''))
`,
    "matplotlib/pyplot.py": `
import warnings
from matplotlib import get_backend
from matplotlib.backends.backend_agg import print_png
_figures = {}
class Figure:
    def __init__(self): self.points = []
    def savefig(self, path):
        if self.points is None: raise ValueError('nothing to draw')
        assert get_backend() == 'Agg' and path.endswith('.png')
        print_png(path, self.points)
def get_fignums(): return sorted(_figures)
def figure(number=None):
    number = number or max(_figures, default=0) + 1
    return _figures.setdefault(number, Figure())
def plot(points):
    (figure(max(_figures)) if _figures else figure()).points = points
def close(which=None): _figures.clear() if which == 'all' else _figures.pop(which, None)
def show():
    warnings.warn('FigureCanvasAgg is non-interactive, and thus cannot be shown', stacklevel=2)
`,
  },
};

const packages: readonly TestPackage[] = [
  matplotlib,
  {
    name: "pure",
    imports: ["pure", "pure_extra"],
    depends: ["helper"],
    files: {
      "pure/__init__.py": "import helper\nvalue = helper.value + 1\n",
      "pure/data.txt": "a file of the package",
      "pure_extra.py": "loaded = True\n",
      "pure-1.0.data/data/share/pure/shared.txt": "shared",
      "pure-1.0.data/data/mnt/data/planted.txt": "planted",
      "pure-1.0.data/purelib/pure/more.py": "more = 1\n",
    },
  },
  // Around a cycle both are there before either is imported.
  {
    name: "helper",
    imports: ["helper"],
    depends: ["pure"],
    files: { "helper.py": "value = 41\n" },
  },
  {
    name: "libtiny",
    place: "dynlib",
    files: { "libtiny.so": sharedLibrary("tiny_value", 42) },
  },
  {
    name: "tiny",
    imports: ["tiny"],
    depends: ["libtiny"],
    files: {
      "tiny/__init__.py": "from ._tiny import answer\n",
      [`tiny/_tiny.${EXTENSION}`]: extensionModule("_tiny", "libtiny.so", "tiny_value"),
    },
  },
  {
    name: "lonely",
    imports: ["lonely"],
    files: { [`lonely.${EXTENSION}`]: extensionModule("lonely", "libnowhere.so", "x") },
  },
  { name: "broken", imports: ["broken"], files: { "broken.py": "raise ValueError('on import')" } },
  { name: "changed", imports: ["changed"], files: { "changed.py": "pass" } },
  { name: "bomb", imports: ["bomb"], files: {} },
];

let python: PythonTool;

beforeAll(async () => {
  const { lock, folder: from } = makeMirror(join(base, "mirror"), packages);
  const names = packages.map(({ name }) => name);
  const { installed } = await installPythonPackages({ folder, names, lock, from });
  const changed = installed.find(({ name }) => name === "changed");
  const path = join(folder, "files", `${changed?.sha256}.whl`);
  rmSync(path);
  writeFileSync(path, zip([{ name: "changed.py", content: "print('not what was installed')" }]));
  python = createPythonTool({ cacheDir, timeoutMs: 20_000, packages: await open() });
  await python.warmUp();
});

afterAll(async () => {
  await python.close();
  rmSync(base, { recursive: true, force: true });
});

const open = (allow: "all" | readonly string[] = "all") =>
  openPythonPackages({ folder, allow, installCommand: "get" });
const { run, text, session } = pythonCells(cacheDir, () => python);

describe("a package", () => {
  test("is not there before it is imported, and then with what it needs", async () => {
    const site = "import os, site; sorted(os.listdir(site.getsitepackages()[0]))";
    expect(await text(site)).not.toContain("pure");
    expect(await text("import pure\npure.value")).toBe("42");
    expect(await text(site)).toContain("'helper-1.0.dist-info', 'helper.py', 'pure'");
    expect(await text("import pure_extra; pure_extra.loaded")).toBe("True");
  });

  test("can also be imported in a function, by name, and be looked up", async () => {
    const code =
      "import importlib, importlib.metadata, importlib.util, importlib.resources\n" +
      "def f():\n    return importlib.import_module('pure').value\n" +
      "f(), importlib.metadata.version('pure'), importlib.util.find_spec('nothing_here')," +
      "importlib.resources.files('pure').joinpath('data.txt').read_text()";
    expect(await text(code)).toBe("(42, '1.0', None, 'a file of the package')");
  });

  test("brings its data to where data belongs, and nowhere else", async () => {
    const code =
      "import pure, pure.more, os\n" +
      "open(os.path.join(sys_prefix, 'share/pure/shared.txt')).read(), os.path.exists('/mnt/data/planted.txt')";
    expect(await text(`import sys; sys_prefix = sys.prefix\n${code}`)).toBe("('shared', False)");
  });

  test("may be a C extension that needs a shared library", async () => {
    expect(await text("import tiny\n[tiny.answer() for _ in range(3)]")).toBe("[42, 42, 42]");
  });

  test("whose library is missing fails as an import does", async () => {
    const shown = await text("import lonely");
    expect(shown).toMatch(/ImportError: [\s\S]*libnowhere\.so/);
    expect(await text("1 + 1")).toBe("2");
  });

  test("fails with its own error, and at the cell's line", async () => {
    const shown = await text("x = 1\nimport broken");
    expect(shown).toMatch(/^Traceback[\s\S]*line 2, in <module>[\s\S]*ValueError: on import$/);
    expect(shown).not.toContain("packages.py");
  });

  test("of the user's own in the working folder goes first", async () => {
    const code = "open('bomb.py', 'w').write('mine = 1')\nimport bomb\nbomb.mine";
    expect(await text(code)).toBe("1");
  });

  test("whose file was changed after it was installed is not loaded", async () => {
    const shown = await text("import changed");
    expect(shown).toMatch(
      /ImportError: The package changed cannot be loaded: its file is damaged, so the user has to install it again$/,
    );
    expect(shown).not.toContain("not what was installed");
  });
});

describe("a module that is not there", () => {
  test.each([
    ["numpy", "numpy is not installed. The user can install it: get numpy."],
    ["sklearn.svm", "sklearn is not installed. The user can install it: get scikit-learn."],
    ["PIL", "get pillow."],
    [
      "tensorflow",
      "Only the Python standard library and these packages are available here: bomb, broken, changed, helper, lonely, matplotlib, pure, tiny.",
    ],
    [
      "tkinter",
      "The sandbox's Python is built without the module tkinter. There is no screen in this sandbox.",
    ],
  ])("%s: how to get it is said", async (name, hint) => {
    const shown = await text(`import ${name}`);
    expect(shown).toContain("ModuleNotFoundError: No module named");
    expect(shown.endsWith(hint)).toBe(true);
  });

  test("of a package that is there needs no words", async () => {
    expect(await text("import pure.nothing")).toMatch(/No module named 'pure\.nothing'$/);
  });
});

describe("a session", () => {
  test("gets only what the program allows, whatever its code tries", async () => {
    const tool = session({ packages: await open(["helper"]) });
    expect(await text("import tiny", tool)).toMatch(
      /ModuleNotFoundError: [^\n]*\ntiny is installed, but was not given to this session\.$/,
    );
    // The function that asks the host is not hidden from who looks for it; the host decides.
    const code = `
import sys, gc
finder = next(f for f in sys.meta_path if getattr(f, '__name__', '') == 'PackageFinder')
load = next(c.cell_contents for c in finder.find_spec.__closure__ if getattr(c.cell_contents, '__name__', '') == 'load')
fetch = dict(zip(load.__code__.co_freevars, [c.cell_contents for c in load.__closure__]))['fetch']
[fetch(name, '/tmp/got') for name in ('tiny', '../../etc/passwd', 'helper', 'helper', 'helper', 'helper')]`;
    expect(await text(code, tool)).toBe(
      "['this session was not given it', 'this session was not given it', '', '', '', 'it was asked for too often']",
    );
  });

  test("without packages says what it always said", async () => {
    expect(await text("import numpy", session())).toMatch(
      /No module named 'numpy'\nOnly the Python standard library is available here\.$/,
    );
  });

  test("is refused an archive that is larger inside than it said when it was installed", async () => {
    const tool = session({ packages: await hostile() });
    expect(await text("import bomb", tool)).toMatch(
      /The package bomb cannot be loaded: ImportError: it is larger than a package may be$/,
    );
    expect(await text("import helper", tool)).toMatch(
      /The package helper cannot be loaded: ImportError: an entry is called '\.\.\/\.\.\/lib\/x\.py'$/,
    );
    expect(await text("import os; os.path.exists('/lib/x.py'), 1 + 1", tool)).toBe("(False, 2)");
  });

  test("that is started anew imports again", async () => {
    const tool = session({ packages: await open(["helper"]) });
    expect(await text("import helper; helper.value", tool)).toBe("41");
    await run("import os; os._exit(1)", tool);
    expect(await text("import helper; helper.value", tool)).toBe("41");
  });

  test("names its packages to the model", async () => {
    expect(python.descriptionSuffix).toBe(
      "Beside the standard library these packages can be imported, and no others: bomb 1.0, broken 1.0, " +
        "changed 1.0, helper 1.0, lonely 1.0, matplotlib 3.10.8, pure 1.0, tiny 1.0.",
    );
    expect(session({ packages: await open([]) }).descriptionSuffix).toBe(
      "Only the Python standard library can be imported.",
    );
    expect(session().descriptionSuffix).toBeUndefined();
  });
});

describe("figures of matplotlib", () => {
  test("that a cell leaves open are saved as PNG and closed", async () => {
    const artifactFolder = join(base, "artifacts");
    const tool = session({ packages: await open(["matplotlib"]), artifactFolder });
    const first = await text(
      "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])\nplt.figure()\nplt.plot([4])\nplt.show()",
      tool,
    );
    expect(first).toMatch(
      /^\[INFO\] Saved for the user: figure-1\.png \(\d+ bytes\), figure-2\.png \(\d+ bytes\)$/,
    );
    expect(await text("plt.get_fignums()", tool)).toBe("[]");
    // One that cannot be drawn does not keep the next from being saved, nor stay open.
    const second = await text("plt.plot(None); plt.figure(); plt.plot([1]); 1 / 0", tool);
    expect(second).toContain("ZeroDivisionError");
    expect(second).toContain("A figure could not be saved: ValueError('nothing to draw')");
    expect(second).toMatch(/Saved for the user: figure-3\.png/);
    expect(await text("plt.get_fignums()", tool)).toBe("[]");
    expect(readdirSync(artifactFolder).sort()).toEqual([1, 2, 3].map((n) => `figure-${n}.png`));
    const png = readFileSync(join(artifactFolder, "figure-1.png"));
    expect(png.subarray(0, 8)).toEqual(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([3, 3]);
  });
});

/** Two archives that installing would have refused, as if another reader had seen them differently. */
async function hostile(): ReturnType<typeof openPythonPackages> {
  const opened = await open(["helper", "bomb"]);
  const replace = (name: string, archive: Buffer) => {
    const file = join(base, `${name}.zip`);
    writeFileSync(file, archive);
    return { file, bytes: archive.length, sha256: sha256(archive) };
  };
  const claims = { size: 2 ** 31 };
  const archives = new Map([
    ["bomb", replace("bomb", zip([{ name: "bomb.py", content: "0".repeat(10_000), claims }]))],
    ["helper", replace("helper", zip([{ name: "../../lib/x.py", content: "1" }]))],
  ]);
  const offered = opened.manifest.packages
    .filter(({ name }) => archives.has(name))
    .map((one) => ({ ...one, depends: [], ...archives.get(one.name) }));
  return {
    ...opened,
    readable: offered.map(({ file }) => file),
    manifest: { ...opened.manifest, packages: offered },
  };
}
