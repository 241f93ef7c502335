package dev.coppice.storage.layer.store;

/** What a layer was made of. Both are read alike. The codes are part of the layer format. */
public enum LayerKind {
    /** Some versions, to be read together with older layers. */
    DELTA(0),
    /** Everything that its timeline retains up to some sequence: nothing older exists in the timeline. */
    IMAGE(1);

    private final int code;

    LayerKind(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }
}
