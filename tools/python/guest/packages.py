# Lets `import` find the packages that the program gave to the session, when it asks for one and not before.
# Leaves a function of the manifest (JSON) and of what fetches an archive in `sys._chorale_packages`; that
# returns what explains a module that is not there.


def _open(manifest, fetch):
    import importlib
    import json
    import os
    import sys
    from importlib.machinery import PathFinder

    manifest = json.loads(manifest)
    packages = {one["name"]: one for one in manifest["packages"]}
    providers = {module: one["name"] for one in manifest["packages"] for module in one["imports"]}
    withheld, installable = set(manifest["withheld"]), manifest["installable"]
    command = manifest["installCommand"]
    # By package: None once it is there, else what went wrong.
    outcomes = {}

    VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
    FOLDERS = {"site": f"/lib/{VERSION}/site-packages", "dynlib": "/usr/lib"}
    # Beside a package's modules, its data: `NAME-1.0.data/data/share/…` belongs to `/share/…`.
    DATA = {"purelib": FOLDERS["site"], "platlib": FOLDERS["site"], "data": sys.prefix}
    DATA_FOLDERS = ("share", "etc")
    MAX_ENTRIES = 20_000
    MAX_BYTES = 192 * 2**20
    MAX_NAMED = 30

    def needed(name):
        """The package and all that it needs, what is needed first. Not recursive: chains may be long."""
        found, seen = [], {name}
        path = [(name, iter(packages[name]["depends"]))]
        while path:
            one, needs = path[-1]
            need = next((each for each in needs if each in packages and each not in seen), None)
            if need is None:
                found.append(one)
                path.pop()
            else:
                seen.add(need)
                path.append((need, iter(packages[need]["depends"])))
        return found

    def place(entry, folder):
        """Where an entry belongs; None: nowhere."""
        parts = entry.filename.removesuffix("/").split("/")
        if "\\" in entry.filename or any(part in ("", ".", "..") for part in parts):
            raise ImportError(f"an entry is called {entry.filename!r}")
        if parts[0].endswith(".data") and folder == FOLDERS["site"]:
            if len(parts) < 3 or parts[1] not in DATA:
                return None
            if parts[1] == "data" and parts[2] not in DATA_FOLDERS:
                return None
            return os.path.join(DATA[parts[1]], *parts[2:])
        return os.path.join(folder, *parts)

    def unpack(path, folder):
        from zipfile import ZipFile

        with ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_BYTES:
                raise ImportError("it is larger than a package may be")
            made = set()
            for entry in entries:
                target = place(entry, folder)
                if target is None:
                    continue
                parent = target if entry.is_dir() else os.path.dirname(target)
                if parent not in made:
                    os.makedirs(parent, exist_ok=True)
                    made.add(parent)
                if not entry.is_dir():
                    # No more than the size that was counted, and only with the right checksum.
                    content = archive.read(entry)
                    with open(target, "wb") as file:
                        file.write(content)

    def load(name):
        for one in needed(name):
            if one in outcomes:
                problem = outcomes[one]
            else:
                problem = "loading it was interrupted"
                path = f"/tmp/{one}.zip"
                try:
                    problem = fetch(one, path) or None
                    if problem is None:
                        unpack(path, FOLDERS[packages[one]["place"]])
                except Exception as error:
                    problem = f"{type(error).__name__}: {error}"
                finally:
                    outcomes[one] = problem
                    if os.path.exists(path):
                        os.unlink(path)
            if problem is not None:
                raise ImportError(f"The package {one} cannot be loaded: {problem}", name=name)
        importlib.invalidate_caches()

    class PackageFinder:
        """Comes last, so that what is there already costs nothing, and a user's own module goes first."""

        @staticmethod
        def find_spec(fullname, path=None, target=None):
            name = providers.pop(fullname, None)
            if name is None:
                return None
            load(name)
            return PathFinder.find_spec(fullname, path, target)

    def listed():
        names = sorted(name for name, one in packages.items() if one["imports"])
        more = len(names) - MAX_NAMED
        return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")

    def explain(module):
        """How a module that is not there could be had; empty where nothing is to be said."""
        root = str(module).partition(".")[0]
        package = installable.get(root)
        if root in withheld:
            return f"{root} is installed, but was not given to this session."
        if root in sys.modules or package in outcomes:
            return ""
        if package is not None:
            how = f": {command} {package}" if command else f" as the package {package}"
            return f"{root} is not installed. The user can install it{how}."
        if not listed():
            return "Only the Python standard library is available here."
        return f"Only the Python standard library and these packages are available here: {listed()}."

    sys.meta_path.append(PackageFinder)
    if "tzdata" in packages:
        # The user's version in place of the one that comes with the sandbox.
        sys.path[:] = [path for path in sys.path if not path.endswith("/tzdata.whl")]
    return explain


__import__("sys")._chorale_packages = _open
