# Turns the output of `go test -bench` into a tab-separated table: name, figure, unit, reference, its figure, ratio.
#
# BenchmarkLedger/transfers/1024-2 is named ledger.transfers.1024. Its figure is its own metric, b.ReportMetric(n, "transfers/s"),
# or ns/op if it reports none. What it measured beside it, in the same run and unit, is b.ReportMetric(n, "ref:SQLite-rows");
# without one the last three columns are "-".
BEGIN { OFS = "\t" }

/^Benchmark/ && NF >= 4 {
	name = $1
	sub(/^Benchmark/, "", name)
	sub(/-[0-9]+$/, "", name)
	gsub(/[A-Z]/, ".&", name)
	gsub(/[\/_]/, ".", name)
	gsub(/\.+/, ".", name)
	sub(/^\./, "", name)

	figure = $3; unit = $4; reference = "-"; beside = "-"; ratio = "-"
	for (i = 3; i < NF; i += 2) {
		if ($(i + 1) ~ /^ref:/) {
			beside = $i
			reference = substr($(i + 1), 5)
		} else if ($(i + 1) !~ /^(ns|B|allocs)\/op$|^MB\/s$/) {
			figure = $i
			unit = $(i + 1)
		}
	}
	if (beside + 0 > 0) ratio = sprintf("%.2f", figure / beside)
	print tolower(name), figure, unit, reference, beside, ratio
	fflush()
	next
}

# Anything else is for people, not for the table: which package, and what failed.
{ print > "/dev/stderr" }
