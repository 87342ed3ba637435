package ledger_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
	"github.com/mattn/go-sqlite3"
)

// benchAccounts is how many accounts the transfers are spread over.
const benchAccounts = 1000

// bench is a ledger on disk with accounts that can spend.
type bench struct {
	*testing.B
	db       *db.DB
	ledger   *ledger.Ledger
	path     string
	usd      uint32
	accounts []ledger.ID
}

func newBench(b *testing.B, accounts int) *bench {
	b.Helper()
	w := &bench{B: b, path: filepath.Join(b.TempDir(), "pochi.db")}
	w.open()
	var err error
	if w.usd, err = w.ledger.OpenAsset(context.Background(), ledger.Asset{Code: "USD", Scale: 2}, 0); err != nil {
		b.Fatal(err)
	}
	w.accounts = make([]ledger.ID, accounts)
	for chunk := range slices.Chunk(w.accounts, 1000) {
		var chain ledger.Chain
		for i := range chunk {
			chunk[i] = uuid.Must(uuid.NewV7())
			chain = append(chain, ledger.OpenAccount{ID: chunk[i], Ledger: w.usd, Code: ledger.CodePerson, Limit: 1 << 60})
		}
		w.must(w.ledger.Submit(context.Background(), chain, nil))
	}
	return w
}

func (w *bench) open() {
	var err error
	if w.db, err = db.Open(context.Background(), db.Options{URL: "sqlite:" + w.path}); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { w.db.Close() })
	if w.ledger, err = ledger.Open(context.Background(), w.db); err != nil {
		w.Fatal(err)
	}
}

func (w *bench) must(err error) {
	if err != nil {
		w.Helper()
		w.Fatal(err)
	}
}

// callers has n goroutines call do until all calls are made. It returns the
// calls in a second, and how long the slowest of 99 % took.
func (w *bench) callers(n, calls int, do func(caller, i int) error) (rate float64, p99 time.Duration) {
	w.Helper()
	var next atomic.Int64
	var wait sync.WaitGroup
	took := make([][]time.Duration, n)
	start := time.Now()
	for caller := range n {
		wait.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= calls {
					return
				}
				begun := time.Now()
				if err := do(caller, i); err != nil {
					w.Error(err)
					return
				}
				took[caller] = append(took[caller], time.Since(begun))
			}
		})
	}
	wait.Wait()
	w.must(w.ledger.CatchUp(context.Background()))
	rate = float64(calls) / time.Since(start).Seconds()
	all := slices.Concat(took...)
	slices.Sort(all)
	return rate, all[len(all)*99/100]
}

// transfers posts calls transfers between the accounts, or (hot) all to the
// first.
func (w *bench) transfers(callers, calls int, hot bool) (rate float64, p99 time.Duration) {
	return w.callers(callers, calls, func(_, i int) error {
		debit := rand.IntN(len(w.accounts)-1) + 1
		credit := (debit + 1) % len(w.accounts)
		if hot {
			credit = 0
		}
		id := uuid.Must(uuid.NewV7())
		return w.ledger.Submit(context.Background(), ledger.Chain{ledger.Transfer{
			ID: id, Debit: w.accounts[debit], Credit: w.accounts[credit], Amount: 1, Code: 1, Reference: id,
		}}, nil)
	})
}

// packets takes and posts calls packets, 1,024 at once, for some references.
func (w *bench) packets(calls, references int) (rate float64) {
	refs := make([]ledger.ID, references)
	for i := range refs {
		refs[i] = uuid.Must(uuid.NewV7())
	}
	ctx := context.Background()
	rate, _ = w.callers(1024, calls, func(_, i int) error {
		ref := i % references
		from, to := w.accounts[2*ref%len(w.accounts)], w.accounts[(2*ref+1)%len(w.accounts)]
		err := w.ledger.Submit(ctx, ledger.Chain{ledger.Take{
			Reference: refs[ref], Debit: from, Credit: to, Toward: to, Amount: 1, Unreserved: true,
		}}, nil)
		if err != nil {
			return err
		}
		return w.ledger.Submit(ctx, ledger.Chain{ledger.Post{
			Reference: refs[ref], Debit: from, Credit: to, To: to, Amount: 1, Code: 1,
		}}, nil)
	})
	return rate
}

// singlePhase moves calls packets to local receivers, 1,024 at once.
func (w *bench) singlePhase(calls, references int) (rate float64) {
	refs := make([]ledger.ID, references)
	for i := range refs {
		refs[i] = uuid.Must(uuid.NewV7())
	}
	rate, _ = w.callers(1024, calls, func(_, i int) error {
		ref := i % references
		from, to := w.accounts[2*ref%len(w.accounts)], w.accounts[(2*ref+1)%len(w.accounts)]
		return w.ledger.Submit(context.Background(), ledger.Chain{ledger.Packet{
			Reference: refs[ref], Debit: from, Credit: to, Amount: 1, Code: 1,
		}}, nil)
	})
	return rate
}

// BenchmarkLedger measures the engine on disk, with everybody waiting until
// their command is durable, and the clock running until all is indexed.
func BenchmarkLedger(b *testing.B) {
	b.Run("transfers", benchTransfers)
	b.Run("packets", benchPackets)
	b.Run("history", benchHistory)
	b.Run("start", benchStart)
}

func benchTransfers(b *testing.B) {
	for _, size := range []struct{ callers, calls int }{{1, 2_000}, {64, 100_000}} {
		var p99 time.Duration
		b.Run(fmt.Sprint(size.callers), func(b *testing.B) {
			var rate float64
			rate, p99 = newBench(b, benchAccounts).transfers(size.callers, size.calls, false)
			b.ReportMetric(rate, "transfers/s")
		})
		b.Run(fmt.Sprint(size.callers, "/p99"), func(b *testing.B) { b.ReportMetric(milliseconds(p99), "ms") })
	}
	b.Run("1024", benchManyCallers)
	b.Run("hot", benchHot)
	b.Run("behind", benchBehind)
}

// turns is how often what is compared takes its turn: a machine is not always as
// fast.
const turns = 4

// benchManyCallers compares the ledger with a loop that does nothing but write
// the same rows.
func benchManyCallers(b *testing.B) {
	const calls = 200_000
	var took, bare float64
	for range turns {
		rate, _ := newBench(b, benchAccounts).transfers(1024, calls, false)
		took += calls / rate
		bare += calls / bareLoop(b, calls)
	}
	b.ReportMetric(turns*calls/took, "transfers/s")
	b.ReportMetric(turns*calls/bare, "ref:bare-loop")
}

// benchHot has all transfers credit one account.
func benchHot(b *testing.B) {
	const calls = 200_000
	var took [2]float64
	for range turns {
		for i, hot := range []bool{true, false} {
			rate, _ := newBench(b, benchAccounts).transfers(1024, calls, hot)
			took[i] += calls / rate
		}
	}
	b.ReportMetric(turns*calls/took[0], "transfers/s")
	b.ReportMetric(turns*calls/took[1], "ref:spread")
}

// benchBehind compares a ledger that has 10 million transfers behind it with
// one that has 10,000: both do the same, in turns.
func benchBehind(b *testing.B) {
	const rounds, calls = 6, 100_000
	few, many := newBench(b, benchAccounts), newBench(b, benchAccounts)
	few.fill(10_000)
	many.fill(10_000_000)
	var took [2]float64
	for round := range rounds {
		for i, w := range []*bench{few, many} {
			rate, _ := w.transfers(1024, calls, false)
			if round > 0 { // the first brings the pages into memory
				took[i] += calls / rate
			}
		}
	}
	const measured = (rounds - 1) * calls
	b.ReportMetric(measured/took[1], "transfers/s")
	b.ReportMetric(measured/took[0], "ref:10k-behind")
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

// fill puts transfers, with their index, behind the ledger: as rows, because
// the engine would take minutes. Their hashes are not right.
func (w *bench) fill(transfers int) {
	w.Helper()
	w.must(w.ledger.CatchUp(context.Background()))
	w.must(w.db.Close())
	pool, err := sql.Open("sqlite3", "file:"+w.path+"?_synchronous=OFF&_cache_size=-500000")
	w.must(err)
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	for _, query := range []string{
		`INSERT INTO transfers (seq, id, batch, debit, credit, amount, code, reference, packets)
			WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < :transfers)
			SELECT n, unhex(printf('%012x7%03x8%015x', 0x190000000000 + n / 60, n % 60, n)), 1, n * 7 % :accounts + 1,
			(n * 7 + 1) % :accounts + 1, 1, 1, unhex(printf('%032x', n)), 0 FROM s`,
		"INSERT INTO transfer_ids SELECT id, seq FROM transfers ORDER BY seq",
		`INSERT INTO history SELECT account, seq, 1, 1 FROM (SELECT debit AS account, seq FROM transfers
			UNION ALL SELECT credit, seq FROM transfers) ORDER BY account, seq`,
		"UPDATE indexed SET seq = :transfers",
	} {
		_, err := pool.Exec(query, sql.Named("transfers", transfers), sql.Named("accounts", len(w.accounts)))
		w.must(err)
	}
	w.must(pool.Close())
	w.open()
}

func benchPackets(b *testing.B) {
	for _, references := range []int{1, 32, 1024} {
		b.Run(fmt.Sprint(references), func(b *testing.B) {
			b.ReportMetric(newBench(b, benchAccounts).packets(400_000, references), "packets/s")
		})
	}
	b.Run("single/32", func(b *testing.B) {
		b.ReportMetric(newBench(b, benchAccounts).singlePhase(600_000, 32), "packets/s")
	})
	b.Run("bytes", func(b *testing.B) {
		w := newBench(b, benchAccounts)
		before := w.pages()
		w.packets(1_000_000, 32)
		b.ReportMetric(float64(w.pages()-before), "bytes/1M")
	})
}

// pages returns how many bytes of the database are used.
func (w *bench) pages() (bytes int64) {
	err := w.db.Read.QueryRowContext(context.Background(),
		"SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size").Scan(&bytes)
	w.must(err)
	return bytes
}

// benchHistory reads pages of 50 lines at random depths of an account with a
// million transfers.
func benchHistory(b *testing.B) {
	w := newBench(b, benchAccounts)
	const transfers = 1_000_000
	w.transfers(1024, transfers, true)
	ctx := context.Background()
	took := make([]time.Duration, 2000)
	for i := range took {
		before := rand.Int64N(transfers) + 100
		begun := time.Now()
		lines, err := w.ledger.History(ctx, w.accounts[0], before, 50)
		took[i] = time.Since(begun)
		if w.must(err); len(lines) != 50 {
			b.Fatalf("%d lines before %d", len(lines), before)
		}
	}
	slices.Sort(took)
	b.ReportMetric(milliseconds(took[len(took)*99/100]), "ms")
}

// benchStart opens a ledger with a million accounts.
func benchStart(b *testing.B) {
	w := newBench(b, 1_000_000)
	w.must(w.db.Close())
	begun := time.Now()
	w.open()
	b.ReportMetric(milliseconds(time.Since(begun)), "ms")
}

// bareLoop writes the rows of as many transfers as a ledger would, and nothing
// else: one goroutine, batches of 1,000, the index sorted and inserted at once
// when 65,536 have come together. It returns the transfers in a second.
func bareLoop(b *testing.B, transfers int) float64 {
	b.Helper()
	w := newBench(b, benchAccounts)
	w.must(w.db.Close())
	pool, err := sql.Open("sqlite3", "file:"+w.path+"?_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1")
	w.must(err)
	defer pool.Close()
	conn, err := pool.Conn(context.Background())
	w.must(err)
	defer conn.Close()
	var rate float64
	w.must(conn.Raw(func(c any) error {
		loop := bare{w, c.(*sqlite3.SQLiteConn), map[string]driver.Stmt{}, nil}
		start := time.Now()
		loop.run(transfers)
		rate = float64(transfers) / time.Since(start).Seconds()
		return nil
	}))
	return rate
}

type bare struct {
	*bench
	conn  *sqlite3.SQLiteConn
	stmts map[string]driver.Stmt
	named []driver.NamedValue
}

// exec runs a statement, prepared once.
func (l *bare) exec(query string, values ...driver.Value) {
	stmt, known := l.stmts[query]
	if !known {
		var err error
		stmt, err = l.conn.Prepare(query)
		l.must(err)
		l.stmts[query] = stmt
	}
	l.named = l.named[:0]
	for i, v := range values {
		l.named = append(l.named, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	rows, err := stmt.(driver.StmtQueryContext).QueryContext(context.Background(), l.named)
	l.must(err)
	l.must(rows.Close())
}

// rows inserts rows, 64 a statement.
func (l *bare) rows(into, after string, columns int, values []driver.Value) {
	row := "(?" + strings.Repeat(",?", columns-1) + ")"
	for part := range slices.Chunk(values, 64*columns) {
		l.exec(into+" VALUES "+row+strings.Repeat(","+row, len(part)/columns-1)+" "+after, part...)
	}
}

type barePoint struct{ account, seq int64 }

func (l *bare) run(transfers int) {
	const perBatch, segment = 1000, 1 << 16
	var points []barePoint
	var ids []driver.Value
	index := func() {
		slices.SortFunc(points, func(a, b barePoint) int {
			if a.account != b.account {
				return int(a.account - b.account)
			}
			return int(a.seq - b.seq)
		})
		values := make([]driver.Value, 0, 4*len(points))
		for _, p := range points {
			values = append(values, p.account, p.seq, p.seq, p.seq)
		}
		l.rows("INSERT INTO history (account, seq, debits, credits)", "", 4, values)
		l.rows("INSERT INTO transfer_ids (id, seq)", "", 2, ids) // as they came: sorted
		points, ids = points[:0], ids[:0]
	}
	var seq int64
	zero, hash := make([]byte, 16), make([]byte, 32)
	for batch := int64(1000); seq < int64(transfers); batch++ {
		l.exec("BEGIN IMMEDIATE")
		rows := make([]driver.Value, 0, 10*perBatch)
		touched := map[int64]bool{}
		for range perBatch {
			seq++
			id := uuid.Must(uuid.NewV7())
			debit := int64(rand.IntN(benchAccounts-1) + 1)
			credit := debit%benchAccounts + 1
			rows = append(rows, seq, id[:], batch, debit, credit, int64(1), int64(1), id[:], nil, int64(0))
			touched[debit], touched[credit] = true, true
			points = append(points, barePoint{debit, seq}, barePoint{credit, seq})
			ids = append(ids, id[:], seq)
		}
		var accounts []driver.Value
		for _, n := range slices.Sorted(maps.Keys(touched)) {
			accounts = append(accounts, n, zero, int64(1), int64(1), int64(0), int64(0), seq, int64(0), seq, zero, int64(0))
		}
		l.rows(`INSERT INTO accounts (n, id, ledger, code, debit_limit, debits_pending, debits_posted, credits_pending, credits_posted,
			user_data, closed)`, `ON CONFLICT (n) DO UPDATE SET debits_posted = excluded.debits_posted,
			credits_posted = excluded.credits_posted`, 11, accounts)
		l.rows("INSERT INTO transfers (seq, id, batch, debit, credit, amount, code, reference, hold, packets)", "", 10, rows)
		l.exec("INSERT INTO batches (seq, at, transfers, entries, hash) VALUES (?, ?, ?, ?, ?)", batch, batch, int64(perBatch), int64(0), hash)
		if len(ids)/2 >= segment || seq >= int64(transfers) {
			index()
		}
		l.exec("UPDATE head SET seq = ?, at = ?, seal = ?", batch, batch, hash)
		l.exec("COMMIT")
	}
}
