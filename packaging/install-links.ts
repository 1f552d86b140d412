/** How clients start the package. They run it in any folder, so its database is named. */
export const packageServer = {
  command: 'npx',
  args: ['-y', 'posthorn', 'mcp'],
  env: { DATABASE_URL: 'file:~/.posthorn/posthorn.db' },
};

/**
 * Links that add the package to a client at a click, as Markdown: https://code.visualstudio.com/docs/copilot/chat/mcp-servers and
 * https://cursor.com/docs/mcp/install-links. Both go by way of a web page, for most places that show a README drop links to programs.
 */
export function installLinks(): string {
  const inCode = `vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name: 'posthorn', ...packageServer }))}`;
  const config = Buffer.from(JSON.stringify(packageServer)).toString('base64');
  return [
    `[Install in VS Code](https://insiders.vscode.dev/redirect?url=${encodeURIComponent(inCode)}) ·`,
    `[Install in Cursor](https://cursor.com/en/install-mcp?name=posthorn&config=${encodeURIComponent(config)})`,
    '',
  ].join('\n');
}
