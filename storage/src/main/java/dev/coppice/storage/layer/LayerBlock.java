package dev.coppice.storage.layer;

/**
 * The version of a block that a layer has: as {@link dev.coppice.storage.index.BlockVersion}, for layers. Where a layer
 * says nothing of a block there is no such object, but null.
 *
 * @param layer who has it
 * @param zero whether the block is zero; then there is nothing to read
 * @param stamp of the version, or of the cut that took the block away
 * @param sequence of the version, or of the cut that took the block away
 * @param frame where the page's frame begins in the layer, in bytes
 * @param frameLength how long the frame is, in bytes; 0 when zero
 */
public record LayerBlock(LayerReader layer, boolean zero, long stamp, long sequence, long frame, int frameLength) {}
