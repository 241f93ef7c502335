package dev.coppice.masking.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.coppice.masking.MaskedFiles;
import dev.coppice.masking.format.LittleEndian;
import dev.coppice.masking.format.PageChecksum;
import dev.coppice.masking.format.Varlena;
import dev.coppice.masking.function.ColumnTarget;
import dev.coppice.masking.function.FunctionCall;
import dev.coppice.masking.function.MaskFunctions;
import dev.coppice.masking.layout.Attribute;
import dev.coppice.masking.layout.DataType;
import dev.coppice.masking.layout.RelationLayout;
import dev.coppice.masking.layout.ScalarType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Rows that are taken out, chunks that are blanked, and tuples of transactions that aborted. */
class CatalogPagesTest {
    private static byte[] text(String value) {
        return Varlena.shortForm(value.getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] chunk(int value, int sequence, String data) {
        byte[] bytes = data.getBytes(StandardCharsets.US_ASCII);
        byte[] stored = bytes.length <= Varlena.SHORT_CAPACITY ? Varlena.shortForm(bytes) : Varlena.plainForm(bytes);
        return ByteBuffer.allocate(8 + stored.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .putInt(sequence)
                .put(stored)
                .array();
    }

    @Test
    void rows_are_removed_as_dead_items_and_the_page_is_no_longer_all_visible() {
        byte[] page = new TestPage()
                .tuple(7, HeapFormat.XMIN_COMMITTED, 1, text("kept one"))
                .tuple(7, HeapFormat.XMIN_COMMITTED, 1, text("canary"))
                .item(HeapFormat.linePointer(1, HeapFormat.REDIRECT, 0))
                .tuple(7, HeapFormat.XMIN_COMMITTED, 1, text("kept two"))
                .build();
        byte[] untouched = page.clone();
        byte[] result = RowRemoval.apply(
                page,
                9,
                true,
                at -> new String(page, at.offset() + HeapFormat.MIN_HEADER + 1, 6, StandardCharsets.US_ASCII)
                        .equals("canary"));
        assertThat(page).isEqualTo(untouched);
        assertThat(TestPage.data(result, 1)).isEqualTo(text("kept one"));
        assertThat(TestPage.data(result, 4)).isEqualTo(text("kept two"));
        assertThat(TestPage.item(result, 2)).isEqualTo(HeapFormat.linePointer(0, HeapFormat.DEAD, 0));
        assertThat(TestPage.item(result, 3)).isEqualTo(TestPage.item(page, 3));
        assertThat(result[HeapFormat.FLAGS_AT] & HeapFormat.ALL_VISIBLE).isZero();
        assertThat(MaskedFiles.contains(result, "canary")).isFalse();
        assertThat(MaskedFiles.contains(result, "leftover")).isFalse();
        assertThat(LittleEndian.u16(result, HeapFormat.CHECKSUM_AT)).isEqualTo(PageChecksum.of(result, 9));
    }

    @Test
    void a_page_without_such_rows_stays_all_visible_and_a_new_page_is_zeroes() {
        byte[] page = new TestPage()
                .tuple(7, HeapFormat.XMIN_COMMITTED, 1, text("kept"))
                .build();
        byte[] result = RowRemoval.apply(page, 0, false, at -> false);
        assertThat(result[HeapFormat.FLAGS_AT] & HeapFormat.ALL_VISIBLE).isNotZero();
        assertThat(TestPage.data(result, 1)).isEqualTo(text("kept"));
        byte[] fresh = new byte[HeapFormat.PAGE_SIZE];
        assertThat(RowRemoval.apply(fresh, 0, true, at -> true)).isEqualTo(fresh);
        byte[] broken = page.clone();
        LittleEndian.put16(broken, HeapFormat.LOWER_AT, 9000);
        assertThatThrownBy(() -> RowRemoval.apply(broken, 0, true, at -> true))
                .isInstanceOf(MalformedPageException.class);
    }

    @Test
    void chunks_of_values_that_are_not_shown_keep_their_place_and_length_and_nothing_else() {
        String longer = "canary ".repeat(50);
        byte[] page = new TestPage()
                .tuple(7, HeapFormat.XMIN_COMMITTED, 3, chunk(1000, 0, "shown text"))
                .tuple(7, HeapFormat.XMIN_COMMITTED, 3, chunk(0x90000001, 0, "canary"))
                .tuple(7, HeapFormat.XMIN_INVALID, 3, chunk(0x90000001, 1, longer))
                .build();
        byte[] result = new ToastPageMasker(true).mask(page, 3, value -> value == 1000);
        assertThat(TestPage.data(result, 1)).isEqualTo(chunk(1000, 0, "shown text"));
        for (int number = 2; number <= 3; number++) {
            assertThat(TestPage.item(result, number)).isEqualTo(TestPage.item(page, number));
            byte[] masked = TestPage.data(result, number);
            assertThat(LittleEndian.i32(masked, 0)).isEqualTo(0x90000001);
            assertThat(LittleEndian.i32(masked, 4)).isEqualTo(number - 2);
            byte[] payload = Varlena.payload(masked, 8, masked.length - 8);
            assertThat(payload).hasSize(number == 2 ? 6 : longer.length()).containsOnly(0);
        }
        assertThat(MaskedFiles.contains(result, "canary")).isFalse();
        assertThat(MaskedFiles.contains(result, "leftover")).isFalse();
        assertThat(LittleEndian.u16(result, HeapFormat.CHECKSUM_AT)).isEqualTo(PageChecksum.of(result, 3));
    }

    @Test
    void what_is_no_chunk_is_an_error() {
        byte[] page = new TestPage()
                .tuple(7, HeapFormat.XMIN_COMMITTED, 2, new byte[8])
                .build();
        assertThatThrownBy(() -> new ToastPageMasker(true).mask(page, 12, value -> true))
                .isInstanceOf(MalformedPageException.class)
                .hasMessageContaining("TOAST block 12");
        assertThat(new ToastPageMasker(false).mask(new byte[HeapFormat.PAGE_SIZE], 0, value -> true))
                .containsOnly(0);
    }

    private static HeapPageMasker masker(TransactionStatus transactions) {
        DataType type = DataType.of(ScalarType.TEXT);
        return new HeapPageMasker(
                new RelationLayout(1, "public", "people", List.of(Attribute.of(1, "name", ScalarType.TEXT))),
                List.of(ColumnMask.always(
                        1,
                        MaskFunctions.bind(FunctionCall.parse("pseudonym()"), new ColumnTarget("name", type, -1))
                                .mask(),
                        false)),
                MaskedFiles.KEY,
                transactions,
                false);
    }

    @Test
    void a_transaction_that_is_known_to_have_aborted_leaves_no_data_and_one_that_is_not_is_masked() {
        byte[] page = new TestPage()
                .tuple(7, 0, 1, text("canary"))
                .tuple(8, 0, 1, text("canary"))
                .tuple(7, HeapFormat.XMIN_COMMITTED, 1, text("canary"))
                .tuple(8, HeapFormat.XMIN_INVALID, 1, text("canary"))
                .build();
        byte[] result = masker(transaction -> transaction == 7).mask(page, 0);
        assertThat(MaskedFiles.contains(result, "canary")).isFalse();
        assertThat(TestPage.data(result, 1)).isEmpty();
        assertThat(TestPage.data(result, 2)).hasSize(7);
        // The hint bit is what Postgres goes by: it is set by who has looked into pg_xact.
        assertThat(TestPage.data(result, 3)).isEqualTo(TestPage.data(result, 2));
        assertThat(TestPage.data(result, 4)).isEmpty();
        byte[] unknown = masker(TransactionStatus.UNKNOWN).mask(page, 0);
        assertThat(TestPage.data(unknown, 1)).isEqualTo(TestPage.data(result, 2));
    }

    @Test
    void a_tuple_of_other_columns_is_an_error_unless_its_transaction_aborted() {
        byte[] page = new TestPage().tuple(7, 0, 2, new byte[8]).build();
        assertThatThrownBy(() -> masker(TransactionStatus.UNKNOWN).mask(page, 5))
                .isInstanceOf(MalformedPageException.class)
                .hasMessageContaining("public.people, block 5, item 1");
        assertThat(TestPage.data(masker(transaction -> true).mask(page, 5), 1)).isEmpty();
    }
}
