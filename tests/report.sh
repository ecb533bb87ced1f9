# Sourced by the scripts that look for what offends a rule: their lines of TAP. They end with `exit $failed`.
n=0
failed=0

# report NAME OFFENDERS: one TAP line, and what offends
report()
{
    n=$((n + 1))
    if [ -z "$2" ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        echo "$2" | sed 's/^/# /'
        failed=1
    fi
}
