/** Sends the user to a server's page and waits for the way back. */
export type AuthorizeInBrowser = {
  /** Where the page sends the user back to: an address of this program. */
  readonly redirectUrl: string;
  /**
   * @param request.url  the page; its host is not trusted more than the server is
   * @returns the address that the user came back to, with its parameters
   */
  visit(request: { readonly server: string; readonly url: URL }): Promise<URL>;
};
