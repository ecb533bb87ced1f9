# Completion for bash: salotto, salottod and salottoctl.
#
# The programs say themselves what may stand where the cursor is (`PROGRAM --complete WORD...`), and salottoctl asks its
# daemon: so no command, option or room is named here, and one function serves all three. Names from outside are only
# ever quoted, never run.

# Reads the line up to the cursor. Readline's own words are no use: they end at '=' and ':', and keep their quotes. Into
# the caller's `words`: the words, unquoted; `quote`: the quote that is still open; `kept`: what of the last word stands
# before the part that readline will replace, which begins at the last such border.
__salotto_read_line()
{
    local line=${COMP_LINE:0:COMP_POINT} char word= begun= i

    words=() quote= kept=
    for ((i = 0; i < ${#line}; i++)); do
        char=${line:i:1}
        case $quote$char in
        "''" | '""') quote= ;;
        "'"? | '"'[!\\]) word+=$char ;;
        \\ | '"'\\) ((++i)) && word+=${line:i:1} begun=1 ;;
        "'" | '"') quote=$char begun=1 kept=$word ;;
        [[:space:]])
            [[ -z $begun ]] || words+=("$word")
            word= begun= kept=
            ;;
        *)
            word+=$char begun=1
            [[ $COMP_WORDBREAKS != *"$char"* ]] || kept=$word
            ;;
        esac
    done
    words+=("$word")
}

_salotto()
{
    local -a words answer
    local quote kept word program before= line

    COMPREPLY=()
    __salotto_read_line
    word=${words[-1]}
    program=${1/#\~\//$HOME/}
    mapfile -t answer < <("$program" --complete "${words[@]:1}" </dev/null 2>/dev/null)

    if [[ ${answer[0]-} = :files || ${answer[0]-} = :folders ]]; then
        [[ $word != --*=* ]] || before=${word%%=*}=
        word=${word#"$before"}
        word=${word/#\~\//$HOME/}
        compopt -o filenames 2>/dev/null
        if [[ ${answer[0]} = :files ]]; then
            mapfile -t answer < <(compgen -f -- "$word")
        else
            mapfile -t answer < <(compgen -d -- "$word")
        fi
        quote=readline # it quotes names of files itself
    fi
    for line in "${answer[@]}"; do
        word=$before${line%%$'\t'*}
        [[ $word = "$kept"* ]] || continue
        word=${word#"$kept"}
        [[ -n $quote ]] || printf -v word %q "$word"
        COMPREPLY+=("$word")
    done
}

complete -F _salotto salotto salottod salottoctl
