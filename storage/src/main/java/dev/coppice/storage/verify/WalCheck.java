package dev.coppice.storage.verify;

import dev.coppice.common.Lsn;
import dev.coppice.storage.wal.LsnRange;
import dev.coppice.storage.wal.WalFormat;
import dev.coppice.storage.wal.WalWalk;
import java.util.List;

/** Checks that all WAL that somebody can ask for is there, record by record. */
final class WalCheck {
    private final Subject subject;
    private final Findings findings;
    private final Progress progress;
    long records;
    long bytes;

    WalCheck(Subject subject, Findings findings, Progress progress) {
        this.subject = subject;
        this.findings = findings;
        this.progress = progress;
    }

    void run() {
        findings.guard("wal-archive", () -> subject.wal().damagedSegments().forEach(findings::error));
        Lsn end = subject.end().get();
        List<LsnRange> ranges = subject.neededWal().get().stream()
                .filter(range -> !range.from().isAfter(end))
                .map(range -> new LsnRange(range.from(), Lsn.min(range.to(), end)))
                .toList();
        long total = ranges.stream().mapToLong(WalCheck::length).sum();
        for (LsnRange range : ranges) {
            findings.guard("wal", () -> walk(range, total));
        }
    }

    private void walk(LsnRange range, long total) {
        long before = bytes;
        WalWalk walk =
                WalWalk.over(subject.wal(), range, done -> progress.at(subject.id(), "wal", before + done, total));
        records += walk.records();
        bytes += length(range);
        progress.at(subject.id(), "wal", bytes, total);
        if (range.to().isAfter(walk.reached())) {
            findings.error(
                    segment(walk.reached()),
                    "there is no valid WAL record at " + walk.reached() + ", but the WAL reaches to " + range.to());
        } else if (walk.reached().isAfter(range.to())) {
            findings.error(
                    segment(range.to()),
                    "a branch begins at, or the WAL ends at " + range.to() + ", which is inside a record that ends at "
                            + walk.reached());
        }
    }

    private static long length(LsnRange range) {
        return range.to().value() - range.from().value();
    }

    private String segment(Lsn lsn) {
        return "wal/" + WalFormat.segmentName(lsn.value(), subject.wal().segmentSize());
    }
}
