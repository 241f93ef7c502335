package dev.coppice.storage.verify;

import dev.coppice.common.Lsn;
import dev.coppice.storage.layer.store.LayerStore;
import dev.coppice.storage.layer.store.Manifest;
import java.util.Optional;

/** Checks one timeline, as often as needed to have it hold still: a flush or a collection may go on meanwhile. */
public final class TimelineVerifier {
    private static final int MAX_TRIES = 5;

    private final Subject subject;
    private final Progress progress;

    /** Checks nothing yet. */
    public TimelineVerifier(Subject subject, Progress progress) {
        this.subject = subject;
        this.progress = progress;
    }

    /** Reads everything. */
    public Verification run() {
        Verification verification = Verification.NOTHING;
        for (int i = 0; i < MAX_TRIES; i++) {
            long before = version();
            verification = once();
            if (verification.isClean() || version() == before) {
                break;
            }
        }
        return verification;
    }

    private long version() {
        return subject.layers()
                .manifest(subject.id())
                .map(LayerStore.StoredManifest::version)
                .orElse(0L);
    }

    private Verification once() {
        Findings findings = new Findings(subject.id());
        findings.guard("timeline.json", () -> ancestor(findings));
        LayerCheck layers = new LayerCheck(subject, findings, progress);
        Manifest manifest = layers.manifest();
        if (manifest != null) {
            findings.guard("layers", () -> layers.run(manifest));
        }
        JournalCheck journal = new JournalCheck(subject, findings, progress);
        findings.guard("journal", () -> journal.run(manifest == null ? null : manifest.flushed()));
        WalCheck wal = new WalCheck(subject, findings, progress);
        findings.guard("wal", wal::run);
        return new Verification(
                findings.list(),
                1,
                journal.entries,
                journal.bytes,
                journal.torn,
                layers.layers,
                layers.bytes,
                wal.records,
                wal.bytes);
    }

    private void ancestor(Findings findings) {
        if (subject.ancestor().isEmpty()) {
            return;
        }
        Lsn lsn = subject.ancestor().get().lsn();
        Optional<Lsn> end = subject.parentEnd().get();
        if (end.isEmpty()) {
            findings.error("timeline.json", "it begins on " + subject.ancestor().get() + ", which is not there");
        } else if (lsn.isAfter(end.get())) {
            findings.error(
                    "timeline.json",
                    "it begins at " + lsn + " of timeline "
                            + subject.ancestor().get().timeline() + ", which ends at " + end.get());
        }
    }
}
