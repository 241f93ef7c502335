package dev.coppice.storage.layer;

/** What a layer was made of. Both are read alike. */
public enum LayerKind {
    /** Some versions, to be read together with older layers. */
    DELTA,
    /** Everything that its timeline retains up to some sequence: nothing older exists in the timeline. */
    IMAGE
}
