package dev.coppice.storage.history;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.index.Damage;
import dev.coppice.storage.index.OwnFile;
import dev.coppice.storage.layer.LayerCaches;
import dev.coppice.storage.layer.LayerReader;
import dev.coppice.storage.layer.store.LayerDescriptor;
import dev.coppice.storage.layer.store.LayerStore;
import dev.coppice.storage.layer.store.Manifest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The layers of one timeline as one manifest lists them. Immutable.
 *
 * @param manifest null when nothing was flushed yet
 * @param newestFirst in the order in which a read asks them
 */
public record LayerSet(@Nullable Manifest manifest, List<LayerReader> newestFirst) {
    static final LayerSet NONE = new LayerSet(null, List.of());

    /** With readers of {@code before} where the layer is the same. */
    static LayerSet of(Manifest manifest, LayerSet before, LayerStore store, TimelineId timeline, LayerCaches caches) {
        Map<String, LayerReader> known = new HashMap<>();
        before.newestFirst.forEach(layer -> known.put(layer.descriptor().name(), layer));
        List<LayerReader> readers = new ArrayList<>();
        for (LayerDescriptor layer : manifest.layers().reversed()) {
            LayerReader reader = known.get(layer.name());
            readers.add(reader != null ? reader : new LayerReader(store, timeline, layer, caches));
        }
        return new LayerSet(manifest, List.copyOf(readers));
    }

    public long version() {
        return manifest == null ? 0 : manifest.version();
    }

    public List<LayerDescriptor> descriptors() {
        return manifest == null ? List.of() : manifest.layers();
    }

    /** What was lost of the journal before it came into layers. */
    public List<Damage> damage() {
        return manifest == null ? List.of() : manifest.damage();
    }

    /** What is known of a file when {@code newer} events come after these layers. */
    public OwnFile file(OwnFile newer, String path, long lsn) {
        OwnFile answer = newer;
        for (LayerReader layer : newestFirst) {
            if (answer.isFinal()) {
                break;
            }
            if (layer.descriptor().mayContain(path)) {
                answer = answer.over(layer.file(path, lsn));
            }
        }
        return answer;
    }

    /** What is known of a directory when {@code newer} events come after these layers. */
    public Optional<Boolean> directory(Optional<Boolean> newer, String path, long lsn) {
        Optional<Boolean> answer = newer;
        for (LayerReader layer : newestFirst) {
            if (answer.isPresent()) {
                break;
            }
            if (layer.descriptor().mayContain(path)) {
                answer = layer.directory(path, lsn);
            }
        }
        return answer;
    }
}
