/** How far pruning has come: in which table, behind which row. */
export interface PrunePosition {
  table: 'attempts' | 'deliveries' | 'events' | 'statistics';
  after: number;
}
