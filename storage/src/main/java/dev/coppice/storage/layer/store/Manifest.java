package dev.coppice.storage.layer.store;

import dev.coppice.common.Lsn;
import dev.coppice.common.TimelineId;
import dev.coppice.storage.index.Damage;
import dev.coppice.storage.wal.Moment;
import java.util.List;

/**
 * What a timeline consists of besides its journal's tail. Immutable; {@link ManifestCodec} has the text form.
 *
 * @param version from 1, one more with each replacement
 * @param flushed what of the journal is in the layers
 * @param oldest where the timeline's own history begins
 * @param horizon below it history may have been collected, except at pins; {@link Lsn#ZERO} = nothing was collected
 * @param layers ascending by sequence, and by path within a run
 * @param moments ascending in time and LSN
 * @param damage what was lost of the journal before it came into layers
 */
public record Manifest(
        TimelineId timeline,
        long version,
        FlushedPosition flushed,
        Lsn oldest,
        Lsn horizon,
        List<LayerDescriptor> layers,
        List<Moment> moments,
        List<Damage> damage) {
    /** Copies the lists. */
    public Manifest {
        layers = List.copyOf(layers);
        moments = List.copyOf(moments);
        damage = List.copyOf(damage);
    }

    /** Of a timeline of which nothing was lost. */
    public Manifest(
            TimelineId timeline,
            long version,
            FlushedPosition flushed,
            Lsn oldest,
            Lsn horizon,
            List<LayerDescriptor> layers,
            List<Moment> moments) {
        this(timeline, version, flushed, oldest, horizon, layers, moments, List.of());
    }
}
