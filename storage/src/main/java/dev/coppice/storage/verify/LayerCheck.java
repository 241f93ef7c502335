package dev.coppice.storage.verify;

import dev.coppice.storage.index.Damage;
import dev.coppice.storage.layer.LayerReader;
import dev.coppice.storage.layer.store.FlushedPosition;
import dev.coppice.storage.layer.store.LayerDescriptor;
import dev.coppice.storage.layer.store.LayerStore;
import dev.coppice.storage.layer.store.Manifest;
import dev.coppice.storage.layer.store.ManifestCodec;
import dev.coppice.storage.wal.Moments;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Checks the manifest, and every layer that it lists. */
final class LayerCheck {
    private static final int POSITION_BITS = 44;

    private final Subject subject;
    private final Findings findings;
    private final Progress progress;
    long layers;
    long bytes;

    LayerCheck(Subject subject, Findings findings, Progress progress) {
        this.subject = subject;
        this.findings = findings;
        this.progress = progress;
    }

    /** The newest manifest; null when there is none, or when it cannot be read, which is a finding. */
    @Nullable
    Manifest manifest() {
        Manifest[] found = new Manifest[1];
        findings.guard("layers", () -> {
            Optional<LayerStore.StoredManifest> stored = subject.layers().manifest(subject.id());
            if (stored.isPresent()) {
                Manifest manifest = ManifestCodec.decode(
                        stored.get().content(), "manifest " + stored.get().version() + " of timeline " + subject.id());
                if (manifest.version() != stored.get().version()
                        || !manifest.timeline().equals(subject.id())) {
                    findings.error(
                            "layers",
                            "manifest " + stored.get().version() + " says that it is version " + manifest.version()
                                    + " of timeline " + manifest.timeline());
                } else {
                    found[0] = manifest;
                }
            }
        });
        return found[0];
    }

    void run(Manifest manifest) {
        findings.guard("layers", () -> Moments.of(manifest.moments()));
        if (manifest.horizon().value() != 0
                && Long.compareUnsigned(
                                manifest.horizon().value(), manifest.oldest().value())
                        < 0) {
            findings.error(
                    "layers", "the horizon " + manifest.horizon() + " is below the beginning " + manifest.oldest());
        }
        for (Damage lost : manifest.damage()) {
            findings.error("journal", lost.what() + "; it was so before it came into layers");
        }
        Set<String> stored = new HashSet<>(subject.layers().list(subject.id()));
        long total =
                manifest.layers().stream().mapToLong(LayerDescriptor::bytes).sum();
        for (LayerDescriptor layer : manifest.layers()) {
            if (stored.remove(layer.name())) {
                fits(layer, manifest.flushed());
                findings.guard(name(layer), () -> verify(layer));
                layers++;
                bytes += layer.bytes();
                progress.at(subject.id(), "layers", bytes, total);
            } else {
                findings.error(name(layer), "the manifest lists it, but it is not there");
            }
        }
        if (!stored.isEmpty()) {
            subject.still().accept(() -> strays(stored));
        }
    }

    /** What a flush or a merge was about to list is listed now, or deleted. */
    private void strays(Set<String> unlisted) {
        unlisted.retainAll(subject.layers().list(subject.id()));
        Manifest now = manifest();
        if (now != null) {
            now.layers().forEach(layer -> unlisted.remove(layer.name()));
        }
        for (String stray : unlisted) {
            findings.warning(
                    "layers/" + stray, "no manifest lists it", "nothing: the next collection of garbage deletes it");
        }
    }

    private void fits(LayerDescriptor layer, FlushedPosition flushed) {
        long last = ((long) flushed.epoch() << POSITION_BITS) | flushed.offset();
        // What an epoch writes before any WAL of its own has a stamp one beyond the end of WAL.
        long highest = flushed.stamp().value() + 1;
        if (Long.compareUnsigned(layer.lastSequence(), last) > 0
                || Long.compareUnsigned(layer.maxStamp(), highest) > 0) {
            findings.error(name(layer), "it reaches beyond the position up to which the manifest has layers");
        }
    }

    private void verify(LayerDescriptor layer) {
        LayerReader reader = new LayerReader(subject.layers(), subject.id(), layer, subject.caches());
        List<String> wrong = reader.verify();
        wrong.forEach(what -> findings.error(name(layer), what));
    }

    private static String name(LayerDescriptor layer) {
        return "layers/" + layer.name();
    }
}
