/**
 * Scripts that let a shell complete `chorale`. They hold no words: the shell asks the command, so that a new flag, a
 * profile or a conversation is offered at once.
 */
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";

const BASH = `# Completion of chorale for bash. Load it with: source <(chorale completion bash)
_chorale() {
  local line IFS=$'\\n' cur="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  for line in $("\${COMP_WORDS[0]}" completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null); do
    case "$line" in
      :file) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- "\${cur#=}")) ;;
      :folder) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -d -- "\${cur#=}")) ;;
      *) COMPREPLY+=("$(printf %q "\${line%%$'\\t'*}")") ;;
    esac
  done
}
complete -F _chorale chorale
`;

const ZSH = `#compdef chorale
# Completion of chorale for zsh. Put it as _chorale into a folder of fpath, or: source <(chorale completion zsh)
_chorale() {
  local line directive
  local -a lines found
  lines=("\${(@f)$("\${words[1]}" completion words -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    case "$line" in
      :*) directive="$line" ;;
      *$'\\t'*) found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
      ?*) found+=("\${line//:/\\\\:}") ;;
    esac
  done
  (( $#found )) && _describe -o chorale found
  case "$directive" in
    :file) compset -P '*='; _files ;;
    :folder) compset -P '*='; _files -/ ;;
  esac
}
if [[ "$funcstack[1]" == _chorale ]]; then _chorale "$@"; else compdef _chorale chorale; fi
`;

const FISH = `# Completion of chorale for fish. Save it as ~/.config/fish/completions/chorale.fish
function __chorale_complete
    set -l before (commandline -opc)
    set -l last (commandline -ct)
    for line in ($before[1] completion words -- $before[2..] $last 2>/dev/null)
        switch $line
            case :file
                __fish_complete_path (string replace -r '^--[^=]*=' '' -- $last)
            case :folder
                __fish_complete_directories (string replace -r '^--[^=]*=' '' -- $last)
            case '*'
                echo $line
        end
    end
end
complete -c chorale -f -a '(__chorale_complete)'
`;

const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH };

export async function scriptCommand(
  shell: "bash" | "zsh" | "fish",
  { output }: CommandContext,
): Promise<ExitCode> {
  output.answer(SCRIPTS[shell]);
  return EXIT.ok;
}
