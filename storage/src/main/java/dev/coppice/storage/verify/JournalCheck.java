package dev.coppice.storage.verify;

import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.journal.SegmentAudit;
import dev.coppice.storage.layer.store.FlushedPosition;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Checks the journal from where it is in no layer yet. */
final class JournalCheck {
    private static final Pattern SEGMENT = Pattern.compile("([0-9]{8,10})\\.journal");

    private final Subject subject;
    private final Findings findings;
    private final Progress progress;
    long entries;
    long bytes;
    long torn;

    JournalCheck(Subject subject, Findings findings, Progress progress) {
        this.subject = subject;
        this.findings = findings;
        this.progress = progress;
    }

    /** @param flushed what of it is in layers; null = nothing */
    void run(@Nullable FlushedPosition flushed) {
        NavigableMap<Integer, Path> segments = segments();
        int flushedEpoch = flushed == null ? 0 : flushed.epoch();
        long flushedOffset = flushed == null ? 0 : flushed.offset();
        for (Path old : segments.headMap(flushedEpoch, false).values()) {
            findings.warning(
                    name(old), "everything in it is in layers", "nothing: the next collection of garbage deletes it");
        }
        int newest = segments.isEmpty() ? 0 : segments.lastKey();
        if (newest < flushedEpoch) {
            findings.error(
                    "journal",
                    "the newest segment is of epoch " + newest + ", but epoch " + flushedEpoch + " is in layers");
        }
        for (int epoch = flushedEpoch + 1; epoch < newest; epoch++) {
            if (!segments.containsKey(epoch)) {
                findings.error("journal", "the segment of epoch " + epoch + " is missing");
            }
        }
        Map<Integer, Path> unflushed = segments.tailMap(flushedEpoch, true);
        long total = unflushed.values().stream().mapToLong(JournalCheck::size).sum();
        unflushed.forEach((epoch, file) -> {
            long from = epoch == flushedEpoch ? flushedOffset : 0;
            findings.guard(name(file), () -> audit(file, from, epoch == newest, total));
        });
    }

    private void audit(Path file, long from, boolean newest, long total) {
        if (from > size(file)) {
            findings.error(name(file), "it ends before byte " + from + ", up to which it is in layers");
            return;
        }
        long before = bytes;
        SegmentAudit.Result result = SegmentAudit.run(
                file,
                subject.id(),
                subject.files(),
                from,
                newest,
                done -> progress.at(subject.id(), "journal", before + done, total));
        entries += result.entries();
        bytes += result.bytes();
        for (SegmentAudit.Gap gap : result.gaps()) {
            if (gap.torn()) {
                torn += gap.length();
            } else {
                findings.error(
                        name(file),
                        gap.length() + " bytes from byte " + gap.position() + " on are no whole entry: the pages in"
                                + " it are lost");
            }
        }
        boolean empty = result.bytes() == 0 && from > 0;
        if (!newest && !result.ended() && !empty) {
            findings.error(name(file), "it does not end with the fence that ends an epoch: it was cut short");
        }
    }

    private NavigableMap<Integer, Path> segments() {
        NavigableMap<Integer, Path> segments = new TreeMap<>();
        Path directory = subject.directory().resolve("journal");
        if (!Files.isDirectory(directory)) {
            return segments;
        }
        try (Stream<Path> names = Files.list(directory)) {
            for (Path file : (Iterable<Path>) names::iterator) {
                Matcher matcher = SEGMENT.matcher(file.getFileName().toString());
                if (matcher.matches() && matcher.group(1).length() <= 9) {
                    segments.put(Integer.parseInt(matcher.group(1)), file);
                } else {
                    findings.warning(
                            name(file),
                            "not a journal segment; perhaps a start that was interrupted",
                            "delete it while the server is stopped");
                }
            }
        } catch (IOException | UncheckedIOException e) {
            throw new StorageException("cannot list " + directory, e);
        }
        return segments;
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new StorageException("cannot see the size of " + file, e);
        }
    }

    private static String name(Path file) {
        return "journal/" + file.getFileName();
    }
}
