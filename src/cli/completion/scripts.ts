import { UsageError } from "../../errors.ts";
import { nearest } from "../../system/nearest.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../manual/manual.ts";
import { guessing } from "../options.ts";
import { fixed, writeText } from "../output/out.ts";

/** The text as it stands here; a backslash keeps the shells' own `${` from being TypeScript's. */
function shell({ raw }: TemplateStringsArray): string {
  return raw.join("").replaceAll("\\${", "${");
}

const BASH = shell`# bash completion for adc-run; in ~/.bashrc: eval "$(adc-run completion bash)"
_adc_run() {
    local answer line directive= at
    COMPREPLY=()
    answer=$(printf '%s' "\${COMP_LINE:0:COMP_POINT}" | command adc-run complete bash 2>/dev/null)
    while IFS= read -r line; do
        case $line in
            :*) directive=$line ;;
            ?*)
                line=\${line%%$'\t'*}
                # Where bash breaks words at "=", it wants what comes after it.
                [[ $COMP_WORDBREAKS == *=* && $2 != -*=* && $line == --*=* ]] && line=\${line#*=}
                COMPREPLY+=("$line")
                ;;
        esac
    done <<<"$answer"
    case $directive in
        :files*) return ;;
        :command*)
            for ((at = 1; at < COMP_CWORD; at++)); do
                [[ \${COMP_WORDS[at]} == exec ]] && break
            done
            ((at++))
            [[ \${COMP_WORDS[at]} == -- ]] && ((at++))
            if declare -F _comp_command_offset >/dev/null; then
                _comp_command_offset "$at"
            elif declare -F _command_offset >/dev/null; then
                _command_offset "$at"
            elif ((COMP_CWORD == at)); then
                while IFS= read -r line; do
                    COMPREPLY+=("$line")
                done < <(compgen -c -- "$2")
            fi
            return
            ;;
    esac
    # Without this, files would be offered where there is nothing else. bash 3 has no way to say so.
    type compopt >/dev/null 2>&1 && compopt +o default 2>/dev/null
    return 0
}
complete -o default -F _adc_run adc-run
`;

const ZSH = shell`#compdef adc-run
# zsh completion for adc-run; in ~/.zshrc, after compinit: eval "$(adc-run completion zsh)"
_adc-run() {
    local answer line directive
    local -a shown
    local -i at
    answer=$(printf '%s\0' "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" |
        command adc-run complete zsh 2>/dev/null)
    for line in "\${(@f)answer}"; do
        case $line in
            (:*) directive=$line ;;
            (?*) shown+=("\${\${line%%$'\t'*}//:/\\:}:\${line#*$'\t'}") ;;
        esac
    done
    case $directive in
        (:command*)
            at=\${directive#:command }
            shift $at words
            (( CURRENT -= at ))
            _normal
            ;;
        (:files=)
            compset -P 1 '*='
            _files
            ;;
        (:files) _files ;;
        (*) (( $#shown )) && _describe -t words adc-run shown ;;
    esac
}
if [[ $funcstack[1] == _adc-run ]]; then
    _adc-run "$@"
else
    compdef _adc-run adc-run
fi
`;

const FISH =
  shell`# fish completion for adc-run; once: adc-run completion fish > ~/.config/fish/completions/adc-run.fish
function __adc_run_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l typed (commandline -ct)
    set -l current (string unescape -- $typed)
    or set current $typed
    set -l answer (printf '%s\0' $words "$current" | command adc-run complete fish 2>/dev/null)
    set -q answer[1]
    or return
    set -l directive $answer[-1]
    set -e answer[-1]
    switch $directive
        case ':command *'
            set -l line adc-run $words
            set -e line[1..(string replace ':command ' '' -- $directive)]
            complete -C (string join ' ' -- (string escape -- $line) "$typed")
        case ':files='
            set -l name (string replace -r '=.*' '=' -- $current)
            for path in (__fish_complete_path (string replace -r '^[^=]*=' '' -- $current))
                printf '%s\n' $name$path
            end
        case ':files'
            __fish_complete_path $current
        case '*'
            set -q answer[1]
            and printf '%s\n' $answer
    end
end
complete -c adc-run -e
complete -c adc-run -f -a '(__adc_run_complete)'
`;

const POWERSHELL = shell`# PowerShell completion for adc-run; in $PROFILE:
# adc-run completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName 'adc-run' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @(
        $commandAst.CommandElements | Select-Object -Skip 1 |
            Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
            ForEach-Object {
                $end = [Math]::Min($_.Extent.EndOffset, $cursorPosition) - $_.Extent.StartOffset
                if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst] -and
                    $end -eq $_.Extent.Text.Length) { $_.Value } else { $_.Extent.Text.Substring(0, $end) }
            }
    )
    if ($wordToComplete -eq '') { $words += '' }
    $last = [string]$words[-1]
    $program = Get-Command 'adc-run' -CommandType Application, ExternalScript -ErrorAction SilentlyContinue |
        Select-Object -First 1
    if ($null -eq $program) { return }
    # As base64: PowerShell's pipes know one encoding at a time, and not always this one.
    $line = [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes(($words -join [string][char]0)))
    $answer = @($line | & $program complete powershell 2>$null)
    if ($answer.Length -eq 0) { return }
    $directive = $answer[-1]
    if ($directive -like ':files*') {
        $name = ''
        if ($directive -eq ':files=') {
            $name = $last.Substring(0, $last.IndexOf('=') + 1)
            $last = $last.Substring($name.Length)
        }
        [System.Management.Automation.CompletionCompleters]::CompleteFilename($last) | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new(
                $name + $_.CompletionText, $_.ListItemText, $_.ResultType, $_.ToolTip)
        }
        return
    }
    if ($directive -like ':command*') { return }
    $found = @($answer | Where-Object { $_ -and -not $_.StartsWith(':') })
    # An empty text keeps PowerShell from offering files.
    if ($found.Length -eq 0) { return '' }
    # PowerShell reads "a,b" as a list, and asks for its last item.
    $head = 0
    if (-not $wordToComplete.Contains(',')) { $head = $last.LastIndexOf(',') + 1 }
    $found | ForEach-Object {
        $value, $text = $_.Split([char]9, 2)
        if (-not $text) { $text = $value }
        $rest = $value.Substring([Math]::Min($head, $value.Length))
        [System.Management.Automation.CompletionResult]::new($rest, $rest, 'ParameterValue', $text)
    }
}
`;

export const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL };

export async function completion({ operands: [name = ""] }: OwnCall, io: Io): Promise<number> {
  const shells = Object.keys(SCRIPTS);
  if (!shells.includes(name)) {
    throw new UsageError(guessing(`No completion for "${name}"`, nearest(name, shells)), {
      suggestion: `Shells: ${shells.join(", ")}.`,
    });
  }
  writeText(fixed(SCRIPTS[name as keyof typeof SCRIPTS]), io, "stdout");
  return await Promise.resolve(0);
}
