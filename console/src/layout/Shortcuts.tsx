import { Kbd, Modal, Table } from '@mantine/core';

const KEYS: readonly [string[], string][] = [
  [['j', 'k', '↓', '↑'], 'Next and previous branch'],
  [['→', '←'], 'Open and close a branch of the tree, or go to its child or parent'],
  [['Enter'], 'Connect'],
  [['c'], 'New branch from this one'],
  [['r'], 'Restore it, or reset it to its parent'],
  [['d'], 'Schema diff with its parent'],
  [['x'], 'Select'],
  [['Delete'], 'Delete it, or what is selected'],
  [['/'], 'Filter'],
  [['Ctrl', 'K'], 'Find anything'],
  [['?'], 'This help'],
];

export default function Shortcuts({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard">
      <Table verticalSpacing={6}>
        <Table.Tbody>
          {KEYS.map(([keys, what]) => (
            <Table.Tr key={what}>
              <Table.Td w={130}>{keys.map((key) => <Kbd key={key} mr={4}>{key}</Kbd>)}</Table.Td>
              <Table.Td>{what}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
