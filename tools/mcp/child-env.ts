/**
 * The environment of a server's process: what programs need to run, and what the configuration gives it. An
 * environment holds the keys of its user for everything; a server has no business with those of others.
 */

const INHERITED: ReadonlySet<string> = new Set([
  ...["HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER"],
  // Where programs keep their files (XDG Base Directory Specification).
  ...["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"],
  // Certificate authorities, and a container engine that is not at its usual place.
  ...["NODE_EXTRA_CA_CERTS", "SSL_CERT_DIR", "SSL_CERT_FILE", "DOCKER_HOST"],
  // Windows.
  ...["APPDATA", "COMSPEC", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA", "PATHEXT", "PROGRAMDATA"],
  ...["PROGRAMFILES", "SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "TMP", "USERNAME", "USERPROFILE"],
]);
const LOCALE = /^LC_[A-Z]+$/;
const SECRET = /TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|KEY/;
/** `scheme://user:password@host`. */
const CREDENTIALS_IN_URL = /^[a-z][a-z0-9+.-]*:\/\/[^/\s]*@/i;

/** @param own  what the configuration of the server sets; it is taken as it is, also over an inherited value */
export function childEnvironment(
  env: NodeJS.ProcessEnv,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const inherited = Object.entries(env).filter((entry): entry is [string, string] => {
    const [name, value] = entry;
    if (value === undefined || CREDENTIALS_IN_URL.test(value)) return false;
    const upper = name.toUpperCase();
    if (SECRET.test(upper)) return false;
    // bash once executed functions that came in a variable (CVE-2014-6271).
    return (INHERITED.has(upper) || LOCALE.test(upper)) && !value.startsWith("()");
  });
  return { ...Object.fromEntries(inherited), ...own };
}
