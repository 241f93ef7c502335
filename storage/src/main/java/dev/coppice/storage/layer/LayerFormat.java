package dev.coppice.storage.layer;

/** The bytes of a layer. */
final class LayerFormat {
    private LayerFormat() {}
}
